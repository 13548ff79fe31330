// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_mmap() updates the times of the
//   backing file
// User sees: mmap() alone moves mtime and ctime
// Reference: Miklos Szeredi's objection to passthrough V12 8/8, 17 February 2021
// Property: T1
@@
expression F, V, C;
@@
fuse_passthrough_mmap(...)
{
<...
+	file_update_time(F);
	return backing_file_mmap(F, V, C);
...>
}
