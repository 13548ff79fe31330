// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_cached_io_open() counts each shared mapping of a
//   direct file, not the file
// User sees: a file that was mapped twice can never be opened in passthrough mode again
// Property: M3
@@
expression F;
statement S;
@@
fuse_file_cached_io_open(...)
{
<...
-	if (F->iomode == IOM_NONE)
+	if (F->iomode != IOM_UNCACHED)
		S
...>
}
