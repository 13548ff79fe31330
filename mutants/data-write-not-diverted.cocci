// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_write_iter() writes a passthrough file through
//   the FUSE page cache
// User sees: the server gets WRITE requests for a passthrough file and pages are
//   cached twice
// Property: C5
@@
expression E, F, A, B;
statement S1, S2;
@@
fuse_file_write_iter(...)
{
<...
	if (E)
		S1
-	else if (fuse_file_passthrough(F))
-		return fuse_passthrough_write_iter(A, B);
	else
		S2
...>
}
