// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_close() does not tell an unknown id
//   from a wrong one
// User sees: BACKING_CLOSE of an unknown id fails with EINVAL instead of ENOENT
// Property: R1
@@
expression E;
@@
fuse_backing_close(...)
{
<...
-	E = -ENOENT;
...>
}
