// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c fuse_free_inode() does not drop a backing file
// User sees: nothing
// Property: L2
// Equivalent: the inode loses its backing file with its last open file, and open
//   files hold the inode
@@
expression I;
statement S;
@@
fuse_free_inode(...)
{
<...
-	fuse_backing_put(fuse_inode_backing(I));
+	;
...>
}
