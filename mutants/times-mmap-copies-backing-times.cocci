// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_mmap() copies mtime and ctime of
//   the backing file
// User sees: mmap() moves the mtime and ctime that stat() shows, before anything
//   was stored
// Reference: passthrough V12 8/8 (2021) did this
// Property: T1
@@
expression F, V, C;
identifier file;
@@
fuse_passthrough_mmap(struct file *file, ...)
{
<...
+	inode_set_mtime_to_ts(file_inode(file), inode_get_mtime(file_inode(F)));
+	inode_set_ctime_to_ts(file_inode(file), inode_get_ctime(file_inode(F)));
	return backing_file_mmap(F, V, C);
...>
}
