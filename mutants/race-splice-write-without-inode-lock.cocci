// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_splice_write() does not lock the
//   FUSE inode
// User sees: a kernel warning when splice() drops a set-user-id bit; size updates
//   of two writers mix
// Property: P2, T6
// Places: 2
@@
expression I;
@@
fuse_passthrough_splice_write(...)
{
<...
-	inode_lock(I);
...>
}

@@
expression I;
@@
fuse_passthrough_splice_write(...)
{
<...
-	inode_unlock(I);
...>
}
