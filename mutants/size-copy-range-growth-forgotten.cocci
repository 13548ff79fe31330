// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c __fuse_copy_file_range() does not store the new size of
//   the destination
// User sees: a file extended by copy_file_range() keeps its old size in stat() and
//   for a copy from it
// Property: T5, T6
@@
expression I, P, N;
@@
__fuse_copy_file_range(...)
{
<...
-	fuse_write_update_attr(I, P, N);
...>
}
