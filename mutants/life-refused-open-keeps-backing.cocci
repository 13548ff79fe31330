// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_passthrough_open() does not drop the backing
//   file of an open it refuses
// User sees: the backing file system cannot be unmounted after a passthrough open
//   failed with EIO
// Property: M1, L2
@@
expression F;
@@
fuse_file_passthrough_open(...)
{
<...
-	fuse_backing_put(F);
...>
}
