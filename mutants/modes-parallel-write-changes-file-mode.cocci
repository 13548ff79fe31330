// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_dio_unlock() lets a parallel write end the io mode of
//   its own file
// User sees: after an in-place write to a passthrough|direct file later opens find
//   the inode in the wrong mode
// Reference: 4864a6dd8320 ("fuse: fix wrong ff->iomode state changes from parallel
//   dio write")
// Property: M1
@@
identifier iocb;
@@
fuse_dio_unlock(struct kiocb *iocb, ...)
{
<...
	fuse_inode_uncached_io_end(...);
+	((struct fuse_file *)iocb->ki_filp->private_data)->iomode = IOM_NONE;
...>
}
