// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dev.c request_wait_answer() does not tell the server that its
//   caller was interrupted
// User sees: Ctrl-C does not end what waits for a slow server that would heed it
// Property: L6
@@
expression R;
@@
request_wait_answer(...)
{
<...
-	if (test_bit(FR_SENT, &R->flags))
-		queue_interrupt(R);
...>
}
