// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_dio_wr_exclusive_lock() does not look whether the
//   server asked for parallel writes
// User sees: writes to a direct-io file reach a server in parallel that did not ask
//   for it
// Property: M1
@@
expression F;
@@
fuse_dio_wr_exclusive_lock(...)
{
<...
-	if (!(F->open_flags & FOPEN_PARALLEL_DIRECT_WRITES))
-		return true;
...>
}
