// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() does not look whether
//   passthrough was negotiated
// User sees: BACKING_OPEN without negotiation fails with ELOOP instead of EPERM
// Property: R1
@@
expression C;
@@
fuse_backing_open(...)
{
<...
-	!C->passthrough || !capable(CAP_SYS_ADMIN)
+	!capable(CAP_SYS_ADMIN)
...>
}
