// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_aio_queue_completion() does not keep the result
//   for the worker
// User sees: an O_DIRECT write by io_submit() or io_uring reports 0 bytes
// Property: C1, T6
@@
expression A, R;
@@
backing_aio_queue_completion(...)
{
<...
-	A->res = R;
...>
}
