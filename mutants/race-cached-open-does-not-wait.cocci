// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_cached_io_open() does not wait for parallel
//   direct writes
// User sees: a kernel warning when a cached open meets a parallel write that the
//   server has not answered
// Property: M1
@@
expression F;
statement S;
@@
fuse_file_cached_io_open(...)
{
<...
-	while (fuse_is_io_cache_wait(F)) S
...>
}
