// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c fuse_change_attributes_common() does not take the
//   server's block count
// User sees: the second stat() shows the blocks of long ago
// Property: T7
@@
expression I, A;
@@
fuse_change_attributes_common(...)
{
<...
-	I->i_blocks = A->blocks;
...>
}
