// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_truncate_update_attr() leaves the cached attributes
//   valid
// User sees: stat() shows the old mtime and ctime after open(O_TRUNC)
// Property: T5
@@
expression I, M;
@@
fuse_truncate_update_attr(...)
{
<...
-	fuse_invalidate_attr_mask(I, M);
...>
}
