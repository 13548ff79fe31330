// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_close() does not drop the reference of
//   the id
// User sees: the backing file system cannot be unmounted after BACKING_CLOSE
// Property: L2
@@
expression F;
@@
fuse_backing_close(...)
{
<...
-	fuse_backing_put(F);
...>
}
