// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_fallocate() leaves the cached attributes valid
// User sees: stat() shows the old mtime, ctime and blocks after
//   fallocate(PUNCH_HOLE)
// Property: T5, T7
@@
expression I, M;
@@
fuse_file_fallocate(...)
{
<...
-	fuse_invalidate_attr_mask(I, M);
...>
}
