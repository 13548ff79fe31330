// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_io_open() does not look for passthrough opens
// User sees: a direct-io open of an inode in passthrough mode succeeds instead of
//   EIO
// Property: M1
@@
expression I, F;
@@
fuse_file_io_open(...)
{
<...
-	if (fuse_inode_backing(I) && !(F->open_flags & FOPEN_PASSTHROUGH))
-		goto fail;
...>
}
