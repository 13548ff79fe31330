// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c iocb_to_rw_flags() drops IOCB_APPEND
// User sees: pwritev2(RWF_APPEND) overwrites at the given offset
// Property: C1, M5
@@
expression F, M;
@@
iocb_to_rw_flags(...)
{
<...
-	F & M
+	F & M & ~IOCB_APPEND
...>
}
