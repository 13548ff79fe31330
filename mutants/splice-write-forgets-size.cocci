// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_splice_write() does not report the end of
//   the write
// User sees: a file extended by splice() keeps its old size in the kernel and its
//   old mtime in stat()
// Reference: 20121d3f58f0 ("fuse: update inode size after extending passthrough
//   write")
// Property: T5, T6
@@
expression C;
@@
backing_file_splice_write(...)
{
<...
-	if (C->end_write)
-		C->end_write(...);
...>
}
