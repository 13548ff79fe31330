// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_io_open() keeps FOPEN_PARALLEL_DIRECT_WRITES
//   without FOPEN_DIRECT_IO
// User sees: nothing
// Property: M1
// Equivalent: the flag is read only on the path of direct writes, which needs
//   FOPEN_DIRECT_IO
@@
expression F;
@@
fuse_file_io_open(...)
{
<...
-	if (!(F->open_flags & FOPEN_DIRECT_IO))
-		F->open_flags &= ~FOPEN_PARALLEL_DIRECT_WRITES;
...>
}
