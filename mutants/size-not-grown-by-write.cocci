// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_write_update_attr() does not store the new size
// User sees: copy_file_range() from a file just written returns 0
// Reference: 20121d3f58f0 ("fuse: update inode size after extending passthrough
//   write"), libfuse issue 1048
// Property: T6
@@
expression I, P;
@@
fuse_write_update_attr(...)
{
<...
-	i_size_write(I, P);
...>
}
