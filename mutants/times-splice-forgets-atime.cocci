// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_splice_read() does not ask to be
//   told of the access
// User sees: stat() keeps the old access time after splice() or sendfile()
// Property: T4
@@
identifier ctx;
expression E;
@@
fuse_passthrough_splice_read(...)
{
...
	struct backing_file_ctx ctx = {
-		.accessed = E,
	};
...
}
