// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c iocb_to_rw_flags() drops IOCB_NOWAIT
// User sees: nothing
// Property: C2
// Equivalent: FUSE files have no FMODE_NOWAIT, so RWF_NOWAIT ends with EOPNOTSUPP, and
//   io_uring tries nothing inline, before a request gets as far as the backing file
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
