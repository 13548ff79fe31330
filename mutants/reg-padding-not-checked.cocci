// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() does not check the padding
// User sees: BACKING_OPEN with padding set succeeds instead of EINVAL
// Reference: "fuse: verify zero padding in fuse_backing_map" (6.9)
// Property: R1
@@
expression M;
@@
fuse_backing_open(...)
{
<...
-	M->flags || M->padding
+	M->flags
...>
}
