// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_splice_read() returns end of file
//   at the size FUSE has cached
// User sees: splice() from a file the server has grown ends too early while
//   attributes are cached
// Property: T6, E4
@@
identifier in, ppos;
expression list ES;
@@
fuse_passthrough_splice_read(struct file *in, loff_t *ppos, ...)
{
<...
+	if (*ppos >= i_size_read(file_inode(in)))
+		return 0;
+
	return backing_file_splice_read(ES);
...>
}
