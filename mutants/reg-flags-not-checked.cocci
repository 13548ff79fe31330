// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() does not check the flags
// User sees: BACKING_OPEN with unknown flags succeeds instead of EINVAL
// Property: R1
@@
expression M;
@@
fuse_backing_open(...)
{
<...
-	M->flags || M->padding
+	M->padding
...>
}
