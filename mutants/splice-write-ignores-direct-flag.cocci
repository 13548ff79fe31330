// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_splice_write() lets FOPEN_PASSTHROUGH win over
//   FOPEN_DIRECT_IO
// User sees: splice() to a passthrough|direct file never reaches the server
// Property: C5, C6
@@
expression F;
statement S1, S2;
@@
fuse_splice_write(...)
{
<...
-	if (fuse_file_passthrough(F) && !(F->open_flags & FOPEN_DIRECT_IO))
+	if (fuse_file_passthrough(F))
		S1
	else S2
...>
}
