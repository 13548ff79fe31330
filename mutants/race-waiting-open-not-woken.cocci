// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_inode_uncached_io_end() does not wake opens that
//   wait for parallel writes
// User sees: a cached open that waited for a parallel direct write hangs for ever
// Property: M1
@@
expression W;
@@
fuse_inode_uncached_io_end(...)
{
<...
-	wake_up(W);
...>
}
