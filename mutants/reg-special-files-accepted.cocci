// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() accepts files that are not
//   regular
// User sees: BACKING_OPEN of a directory, fifo or device succeeds
// Reference: e9c8da670e74 ("fuse: do not allow mapping a non-regular backing file")
// Property: R1
@@
expression D;
@@
fuse_backing_open(...)
{
<...
-	if (!d_is_reg(D))
-		goto out_fput;
...>
}
