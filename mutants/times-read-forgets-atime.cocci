// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_read_iter() does not ask to be
//   told of the access
// User sees: stat() keeps the old access time after read()
// Property: T4
@@
identifier ctx;
expression E;
@@
fuse_passthrough_read_iter(...)
{
...
	struct backing_file_ctx ctx = {
-		.accessed = E,
	};
...
}
