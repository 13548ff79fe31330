// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_splice_write() does not ask to be
//   told the end of the write
// User sees: copy_file_range() from a file just filled by splice() returns 0,
//   stat() keeps the old mtime
// Reference: 20121d3f58f0 ("fuse: update inode size after extending passthrough
//   write")
// Property: T5, T6
@@
identifier ctx;
expression E;
@@
fuse_passthrough_splice_write(...)
{
...
	struct backing_file_ctx ctx = {
-		.end_write = E,
	};
...
}
