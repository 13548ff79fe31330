// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() does not hand end_write to
//   the asynchronous request
// User sees: a file extended by io_submit() or io_uring keeps its old size in the
//   kernel and its old mtime in stat()
// Reference: 20121d3f58f0 ("fuse: update inode size after extending passthrough
//   write")
// Property: T5, T6
@@
expression A, C;
@@
backing_file_write_iter(...)
{
<...
-	A->end_write = C->end_write;
...>
}
