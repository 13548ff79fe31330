// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() goes on without a queue for what
//   follows an asynchronous write
// User sees: the kernel crashes when the first asynchronous O_DIRECT write on a mount
//   finds no memory
// Property: L8
@@
expression R, I;
@@
backing_file_write_iter(...)
{
<...
	R = backing_aio_init_wq(I);
-	if (R)
-		goto out;
...>
}
