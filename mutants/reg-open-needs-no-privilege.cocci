// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() does not ask for CAP_SYS_ADMIN
// User sees: an unprivileged server registers backing files
// Property: R1, P3
@@
expression C;
@@
fuse_backing_open(...)
{
<...
-	!C->passthrough || !capable(CAP_SYS_ADMIN)
+	!C->passthrough
...>
}
