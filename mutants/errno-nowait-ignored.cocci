// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c iocb_to_rw_flags() drops IOCB_NOWAIT
// User sees: preadv2(RWF_NOWAIT) waits for the disk instead of EAGAIN
// Property: C2
@@
expression F, M;
@@
iocb_to_rw_flags(...)
{
<...
-	F & M
+	F & M & ~IOCB_NOWAIT
...>
}
