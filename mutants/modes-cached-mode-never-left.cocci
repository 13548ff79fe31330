// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_cached_io_release() does not count the cached
//   open down
// User sees: a passthrough open after the last cached close fails with EIO
// Property: M1
@@
expression F;
@@
fuse_file_cached_io_release(...)
{
<...
-	F->iocachectr--;
...>
}
