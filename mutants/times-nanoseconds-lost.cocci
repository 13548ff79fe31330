// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c fuse_change_attributes_common() caches mtime in whole
//   seconds
// User sees: the second stat() shows an mtime other than the first
// Property: T8, T9
@@
expression I, A;
@@
fuse_change_attributes_common(...)
{
<...
-	inode_set_mtime(I, A->mtime, A->mtimensec);
+	inode_set_mtime(I, A->mtime, 0);
...>
}
