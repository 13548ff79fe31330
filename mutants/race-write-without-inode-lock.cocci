// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_write_iter() does not lock the
//   FUSE inode
// User sees: a kernel warning when write() drops a set-user-id bit; size updates of
//   two writers mix
// Property: P2, T6
// Places: 2
@@
expression I;
@@
fuse_passthrough_write_iter(...)
{
<...
-	inode_lock(I);
...>
}

@@
expression I;
@@
fuse_passthrough_write_iter(...)
{
<...
-	inode_unlock(I);
...>
}
