// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_passthrough_open() refuses FOPEN_NOFLUSH
// User sees: an open answered FOPEN_PASSTHROUGH|FOPEN_NOFLUSH fails with EIO
// Property: M1
@@
expression F;
@@
fuse_file_passthrough_open(...)
{
<...
-	F->open_flags & ~FOPEN_PASSTHROUGH_MASK
+	F->open_flags & ~(FOPEN_PASSTHROUGH_MASK & ~FOPEN_NOFLUSH)
...>
}
