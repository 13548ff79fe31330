// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c fuse_change_attributes_common() does not take the
//   server's ctime
// User sees: the second stat() shows the ctime of long ago
// Property: T5, T9
@@
expression I, A;
@@
fuse_change_attributes_common(...)
{
<...
-		inode_set_ctime(I, A->ctime, A->ctimensec);
+		;
...>
}
