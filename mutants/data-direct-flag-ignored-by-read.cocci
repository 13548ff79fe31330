// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_read_iter() lets FOPEN_PASSTHROUGH win over
//   FOPEN_DIRECT_IO
// User sees: read() of a passthrough|direct file never reaches the server
// Property: C5, C6
@@
expression F;
statement S1, S2;
@@
fuse_file_read_iter(...)
{
<...
-	if (F->open_flags & FOPEN_DIRECT_IO)
+	if ((F->open_flags & FOPEN_DIRECT_IO) && !fuse_file_passthrough(F))
		S1
	else S2
...>
}
