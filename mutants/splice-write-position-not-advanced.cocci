// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_splice_write() advances a copy of
//   the position
// User sees: the second splice() to a passthrough file overwrites what the first
//   one wrote
// Property: C1, T6
@@
identifier ppos;
identifier pipe, out;
expression R, F, L, G, C;
@@
fuse_passthrough_splice_write(struct pipe_inode_info *pipe, struct file *out,
			      loff_t *ppos, ...)
{
<...
-	R = backing_file_splice_write(pipe, F, ppos, L, G, C);
+	loff_t pos = *ppos;
+
+	R = backing_file_splice_write(pipe, F, &pos, L, G, C);
...>
}
