// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c __fuse_copy_file_range() sends the destination offset for
//   the source offset
// User sees: copy_file_range() copies from the wrong place
// Property: C1
@@
identifier inarg, pos_in, pos_out;
@@
__fuse_copy_file_range(struct file *file_in, loff_t pos_in, struct file *file_out, loff_t pos_out, ...)
{
...
	struct fuse_copy_file_range_in inarg = {
-		.off_in = pos_in,
+		.off_in = pos_out,
	};
...
}
