// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_splice_read() advances a copy of
//   the position
// User sees: each splice() from a passthrough file returns the first bytes again
// Property: C2
// Places: 1
@@
identifier ppos;
expression E1, E2, E3, E4, E5;
@@
fuse_passthrough_splice_read(struct file *in, loff_t *ppos, ...)
{
<...
-	return backing_file_splice_read(E1, ppos, E2, E3, E4, E5);
+	loff_t pos = *ppos;
+
+	return backing_file_splice_read(E1, &pos, E2, E3, E4, E5);
...>
}
