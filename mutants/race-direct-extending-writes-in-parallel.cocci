// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c direct writes beyond the end of file take the shared lock
// User sees: two extending writes to a direct-io file reach the server in parallel
// Property: M1
// Places: 2
@@
expression A, B;
@@
fuse_dio_wr_exclusive_lock(...)
{
<...
-	if (fuse_io_past_eof(A, B))
-		return true;
...>
}

@@
expression A, B, E;
@@
fuse_dio_lock(...)
{
<...
-	fuse_io_past_eof(A, B) || E
+	E
...>
}
