// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() asks for CAP_SYS_ADMIN in the
//   caller's user namespace only
// User sees: root of a user namespace registers backing files
// Property: R1
@@
@@
fuse_backing_open(...)
{
<...
-	capable(CAP_SYS_ADMIN)
+	ns_capable(current_user_ns(), CAP_SYS_ADMIN)
...>
}
