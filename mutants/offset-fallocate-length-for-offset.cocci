// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_fallocate() sends offset and length in each
//   other's place
// User sees: fallocate(PUNCH_HOLE) zeroes the wrong bytes
// Property: E5
@@
identifier inarg;
expression O, L;
@@
fuse_file_fallocate(...)
{
...
	struct fuse_fallocate_in inarg = {
-		.offset = O,
+		.offset = length,
-		.length = L,
+		.length = offset,
	};
...
}
