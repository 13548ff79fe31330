// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() does not accept O_PATH
//   descriptors
// User sees: BACKING_OPEN of an O_PATH descriptor fails with EBADF
// Reference: "fuse: allow O_PATH fd for FUSE_DEV_IOC_BACKING_OPEN" (6.12)
// Property: R1
@@
expression F;
@@
fuse_backing_open(...)
{
<...
-	fget_raw(F)
+	fget(F)
...>
}
