// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_read_iter() reads a passthrough file through the
//   FUSE page cache
// User sees: read() returns old bytes after a store or a second write()
// Property: C1, C2, C5
@@
expression E, F, A, B;
statement S1, S2;
@@
fuse_file_read_iter(...)
{
<...
	if (E)
		S1
-	else if (fuse_file_passthrough(F))
-		return fuse_passthrough_read_iter(A, B);
	else
		S2
...>
}
