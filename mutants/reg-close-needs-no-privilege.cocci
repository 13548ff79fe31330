// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_close() does not ask for CAP_SYS_ADMIN
// User sees: an unprivileged process with the device closes ids
// Property: R1
@@
expression C;
@@
fuse_backing_close(...)
{
<...
-	!C->passthrough || !capable(CAP_SYS_ADMIN)
+	!C->passthrough
...>
}
