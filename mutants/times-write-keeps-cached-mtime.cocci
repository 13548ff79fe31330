// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_write_update_attr() leaves the cached attributes
//   valid
// User sees: stat() shows the old mtime, ctime and blocks after write()
// Property: T5, T7
@@
expression I, M;
@@
fuse_write_update_attr(...)
{
<...
-	fuse_invalidate_attr_mask(I, M);
...>
}
