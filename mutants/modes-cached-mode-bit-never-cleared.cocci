// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_cached_io_release() leaves the inode marked as
//   caching
// User sees: once a file was open cached, parallel direct writes are served one
//   after the other for ever
// Property: M1
@@
expression F;
statement S;
@@
fuse_file_cached_io_release(...)
{
<...
-	if (F->iocachectr == 0)
-		S
...>
}
