// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() advances a copy of the
//   position
// User sees: each write() overwrites the one before, and the file never grows in
//   the kernel
// Property: C1, T6
@@
expression R, F, I, W;
identifier iocb;
@@
backing_file_write_iter(...)
{
<...
-	R = vfs_iter_write(F, I, &iocb->ki_pos, W);
+	loff_t pos = iocb->ki_pos;
+
+	R = vfs_iter_write(F, I, &pos, W);
...>
}
