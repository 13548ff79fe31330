// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_aio_rw_complete() does not complete the
//   caller's request
// User sees: O_DIRECT requests of io_submit() and io_uring never complete
// Property: C1, C2
@@
expression O, R;
@@
backing_aio_rw_complete(...)
{
<...
-	O->ki_complete(O, R);
...>
}
