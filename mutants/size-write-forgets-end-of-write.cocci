// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_write_iter() does not ask to be
//   told the end of the write
// User sees: copy_file_range() from a file just written returns 0, stat() keeps the
//   old mtime
// Reference: 20121d3f58f0 ("fuse: update inode size after extending passthrough
//   write"), libfuse issue 1048
// Property: T5, T6
@@
identifier ctx;
expression E;
@@
fuse_passthrough_write_iter(...)
{
...
	struct backing_file_ctx ctx = {
-		.end_write = E,
	};
...
}
