// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_inode_uncached_io_start() takes a parallel write
//   for a conflicting backing file
// User sees: parallel writes to a passthrough|direct file are served one after the
//   other
// Reference: 7cc911262835 ("fuse: fix parallel dio write on file open in
//   passthrough mode")
// Property: M1
@@
identifier fb, oldfb;
statement S;
@@
fuse_inode_uncached_io_start(...)
{
<...
-	if (fb && oldfb && oldfb != fb)
+	if (oldfb && oldfb != fb)
		S
...>
}
