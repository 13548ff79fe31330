// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_inode_uncached_io_start() accepts another backing
//   file for the inode
// User sees: two opens of one file read different files
// Property: M1
@@
expression E;
identifier fb, oldfb;
@@
fuse_inode_uncached_io_start(...)
{
<...
-	if (fb && oldfb && oldfb != fb) {
-		E = -EBUSY;
-		goto unlock;
-	}
...>
}
