// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() forgets the error when there is
//   no memory for an asynchronous write
// User sees: io_submit() or io_uring report bytes as written that are lost
// Property: L8
@@
identifier ret, aio, iter, F;
expression E;
@@
backing_file_write_iter(struct file *F, struct iov_iter *iter, ...)
{
<...
-	ret = -ENOMEM;
+	ret = iov_iter_count(iter);
	aio = E;
...>
}
