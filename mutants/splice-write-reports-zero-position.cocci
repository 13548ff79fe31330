// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_splice_write() reports the write as ending
//   at offset 0
// User sees: a file extended by splice() keeps its old size in the kernel:
//   copy_file_range() from it returns 0
// Reference: f03b296e8b51 ("fs: pass offset and result to backing_file end_write()
//   callback")
// Property: T6
@@
expression C, P, R;
@@
backing_file_splice_write(...)
{
<...
(
-	C->end_write(C->user_file, P ? *P : 0, R)
+	C->end_write(C->user_file, 0, R)
|
-	C->end_write(C, P ? *P : 0, R)
+	C->end_write(C, 0, R)
|
-	C->end_write(iocb, R)
+	(iocb->ki_pos = 0, C->end_write(iocb, R))
)
...>
}
