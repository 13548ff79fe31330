// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_read_iter() advances a copy of the
//   position
// User sees: each read() returns the first bytes of the file again
// Property: C2
@@
expression R, F, I, W;
identifier iocb;
@@
backing_file_read_iter(...)
{
<...
-	R = vfs_iter_read(F, I, &iocb->ki_pos, W);
+	loff_t pos = iocb->ki_pos;
+
+	R = vfs_iter_read(F, I, &pos, W);
...>
}
