// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() leaves clean-up to a
//   completion that never comes when a write is done at once
// User sees: a buffered write by io_submit() does not grow the file in the kernel
//   and pins the backing file
// Property: T6, L2
@@
expression R, A;
@@
backing_file_write_iter(...)
{
<...
-		if (R != -EIOCBQUEUED)
-			backing_aio_cleanup(A, R);
...>
}
