// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_close() does not ask whether passthrough
//   was negotiated
// User sees: BACKING_CLOSE says ENOENT instead of EPERM on a mount without passthrough
// Property: R2
@@
expression fc;
@@
fuse_backing_close(...)
{
<...
-	!fc->passthrough || !capable(CAP_SYS_ADMIN)
+	!capable(CAP_SYS_ADMIN)
...>
}
