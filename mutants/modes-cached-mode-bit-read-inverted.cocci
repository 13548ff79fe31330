// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_dio_wr_exclusive_lock() takes the shared lock in
//   caching mode and the exclusive one otherwise
// User sees: parallel writes to a direct-io file are served one after the other
// Reference: 2f3d8ff45798 ("fuse: use exclusive lock when FUSE_I_CACHE_IO_MODE is
//   set")
// Property: M1, M2
@@
expression F;
statement S;
@@
fuse_dio_wr_exclusive_lock(...)
{
<...
-	if (test_bit(FUSE_I_CACHE_IO_MODE, F))
+	if (!test_bit(FUSE_I_CACHE_IO_MODE, F))
		S
...>
}
