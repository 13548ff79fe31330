// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_aio_cleanup() does not pass the new position to
//   the caller's request
// User sees: an io_uring read or write at the current position does not move it
// Property: C1, C2
@@
expression O, I;
@@
backing_aio_cleanup(...)
{
<...
-	O->ki_pos = I->ki_pos;
...>
}
