// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() maps the FUSE page cache of a passthrough
//   file
// User sees: a mapping keeps old bytes after write(), and read() never sees a store
// Reference: report of Rokudo Yan, 19 January 2021, on passthrough V11, which had
//   no mmap
// Property: C1, C2, C3, C5
@@
expression F, I, A, B;
@@
fuse_file_mmap(...)
{
<...
-	if (fuse_file_passthrough(F))
-		return fuse_passthrough_mmap(A, B);
-	else if (fuse_inode_backing(I))
-		return -ENODEV;
...>
}
