// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() does not tell directories from
//   other special files
// User sees: BACKING_OPEN of a directory fails with EINVAL instead of EISDIR
// Property: R1
@@
expression D;
@@
fuse_backing_open(...)
{
<...
-	d_is_dir(D) ? -EISDIR : -EINVAL
+	-EINVAL
...>
}
