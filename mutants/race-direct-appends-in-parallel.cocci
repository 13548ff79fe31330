// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_dio_wr_exclusive_lock() takes the shared lock for
//   O_APPEND writes
// User sees: two parallel appends to a direct-io file land at the same offset
// Property: C1
@@
expression K;
@@
fuse_dio_wr_exclusive_lock(...)
{
<...
-	if (K->ki_flags & IOCB_APPEND)
-		return true;
...>
}
