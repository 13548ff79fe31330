// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_read_iter() does not drop its reference to
//   the request
// User sees: every asynchronous read pins the backing file for ever: its file
//   system cannot be unmounted
// Property: L2
@@
expression A;
@@
backing_file_read_iter(...)
{
<...
-	backing_aio_put(A);
...>
}
