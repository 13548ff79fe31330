// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_io_open() enters caching mode for direct-io
//   opens too
// User sees: a passthrough open beside a direct-io open fails with EIO
// Property: M1
@@
expression F;
@@
fuse_file_io_open(...)
{
<...
-	if ((F->open_flags & FOPEN_DIRECT_IO) &&
-	    !(F->open_flags & FOPEN_PASSTHROUGH))
-		return 0;
...>
}
