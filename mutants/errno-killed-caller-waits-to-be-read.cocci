// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dev.c request_wait_answer() does not take back a request that the
//   server has not read
// User sees: a process that was killed stays as long as the server reads nothing
// Property: L6
@@
expression R;
statement S;
@@
request_wait_answer(...)
{
<...
-	if (test_bit(FR_PENDING, &R->flags))
-		S
...>
}
