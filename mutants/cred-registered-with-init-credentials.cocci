// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() remembers the kernel's
//   credentials instead of the registrant's
// User sees: set-user-id bits survive a write through a registrant without
//   CAP_FSETID, and it takes blocks reserved for root
// Property: P1, P2
@@
@@
fuse_backing_open(...)
{
<...
-	prepare_creds()
+	prepare_kernel_cred(&init_task)
...>
}
