// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_inode_uncached_io_start() does not drop the surplus
//   reference of a second open
// User sees: the backing file system cannot be unmounted after a file was open
//   twice at once
// Property: L2
@@
expression O, F;
@@
fuse_inode_uncached_io_start(...)
{
<...
	if (F && !O)
	{
	...
	}
-	else { fuse_backing_put(F); }
...>
}
