// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_read_iter() reports the access only after
//   synchronous reads
// User sees: stat() keeps the old access time after io_submit() or io_uring reads
// Property: T4
@@
expression C;
@@
backing_file_read_iter(...)
{
<...
-	if (C->accessed)
+	if (C->accessed && !aio)
		C->accessed(...);
...>
}
