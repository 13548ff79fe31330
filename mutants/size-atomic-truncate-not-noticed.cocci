// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_truncate_update_attr() does not store the size 0
// User sees: nothing
// Property: E2, T6
// Equivalent: before open(2) returns the VFS truncates as well, and fuse_setattr() stores
//   the size 0 for what the open has done; a file that CREATE meets has the size of its reply
@@
expression I;
@@
fuse_truncate_update_attr(...)
{
<...
-	i_size_write(I, 0);
...>
}
