// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_inode_uncached_io_end() keeps the backing file of
//   the inode after the last close
// User sees: a cached open after the last passthrough close fails with EIO
// Property: M1
@@
expression I, O;
@@
fuse_inode_uncached_io_end(...)
{
<...
-	O = fuse_inode_backing_set(I, NULL);
...>
}
