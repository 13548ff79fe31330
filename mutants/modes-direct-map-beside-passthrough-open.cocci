// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() does not refuse direct-io files while the
//   inode is in passthrough mode
// User sees: mmap() of a direct-io descriptor beside a passthrough open succeeds
//   instead of ENODEV
// Property: M2
@@
expression I, F;
statement S;
@@
fuse_file_mmap(...)
{
<...
	if (F)
		S
-	else if (fuse_inode_backing(I))
-		return -ENODEV;
...>
}
