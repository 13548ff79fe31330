// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_inode_uncached_io_end() does not drop the inode's
//   reference to its backing file
// User sees: the backing file system cannot be unmounted after the last close
// Property: L2
@@
expression O;
@@
fuse_inode_uncached_io_end(...)
{
<...
-	if (O)
-		fuse_backing_put(O);
...>
}
