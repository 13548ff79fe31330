// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c fuse_change_attributes_i() does not store the size the
//   server answered
// User sees: the second stat() of a file the server has grown shows the old size
//   again
// Property: T6, T9
@@
expression I, A;
@@
(
fuse_change_attributes_i
|
fuse_change_attributes
)
 (...)
{
<...
-		i_size_write(I, A->size);
+		;
...>
}
