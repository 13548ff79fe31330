// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c iocb_to_rw_flags() drops IOCB_DSYNC and IOCB_SYNC
// User sees: pwritev2(RWF_DSYNC) and writes to O_DSYNC files return before the data
//   is safe
// Property: L4
@@
expression F, M;
@@
iocb_to_rw_flags(...)
{
<...
-	F & M
+	F & M & ~(IOCB_DSYNC | IOCB_SYNC)
...>
}
