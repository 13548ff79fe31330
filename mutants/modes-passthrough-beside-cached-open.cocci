// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_inode_uncached_io_start() does not look for cached
//   opens
// User sees: a passthrough open beside a cached one succeeds and the two read
//   different bytes
// Property: M1, M3
@@
expression F, E;
@@
fuse_inode_uncached_io_start(...)
{
<...
-	if (F->iocachectr > 0) {
-		E = -ETXTBSY;
-		goto unlock;
-	}
...>
}
