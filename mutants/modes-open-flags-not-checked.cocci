// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_passthrough_open() accepts any flag beside
//   FOPEN_PASSTHROUGH
// User sees: an open answered FOPEN_PASSTHROUGH|FOPEN_KEEP_CACHE succeeds instead
//   of EIO
// Property: M1
@@
expression F;
expression A;
@@
fuse_file_passthrough_open(...)
{
<...
-	A || (F->open_flags & ~FOPEN_PASSTHROUGH_MASK)
+	A
...>
}
