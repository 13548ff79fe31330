// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_read_iter() forgets the error when there is
//   no memory for an asynchronous read
// User sees: io_submit() or io_uring report end of file in the middle of a file
// Property: L8
@@
identifier ret, aio;
expression E;
@@
backing_file_read_iter(...)
{
<...
-	ret = -ENOMEM;
+	ret = 0;
	aio = E;
...>
}
