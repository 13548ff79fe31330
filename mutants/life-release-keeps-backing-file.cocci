// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_release() does not close the
//   backing file
// User sees: the backing file system cannot be unmounted after close()
// Property: L2
@@
expression F;
@@
fuse_passthrough_release(...)
{
<...
-	fput(F->passthrough);
...>
}
