// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() drops IOCB_APPEND from
//   asynchronous writes
// User sees: an O_APPEND write by io_uring with RWF_APPEND lands at the given
//   offset
// Property: C1
@@
expression A, F;
@@
backing_file_write_iter(...)
{
<...
-	A->iocb.ki_flags = F;
+	A->iocb.ki_flags = F & ~IOCB_APPEND;
...>
}
