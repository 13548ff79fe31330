// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() remembers the kernel's
//   credentials instead of the registrant's
// User sees: a registrant without CAP_DAC_OVERRIDE reaches files it may not open
// Property: P1, P3
@@
@@
fuse_backing_open(...)
{
<...
-	prepare_creds()
+	prepare_kernel_cred(&init_task)
...>
}
