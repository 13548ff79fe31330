// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_close() does not check the range of
//   the id
// User sees: BACKING_CLOSE of id 0 fails with ENOENT instead of EINVAL
// Property: R1
@@
expression E;
identifier backing_id;
@@
fuse_backing_close(...)
{
<...
-	if (backing_id <= 0)
-		goto out;
...>
}
