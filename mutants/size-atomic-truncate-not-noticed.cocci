// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_truncate_update_attr() does not store the size 0
// User sees: a file opened with O_TRUNC keeps its old size in the kernel
// Property: E2, T6
@@
expression I;
@@
fuse_truncate_update_attr(...)
{
<...
-	i_size_write(I, 0);
...>
}
