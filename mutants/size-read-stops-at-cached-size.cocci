// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_read_iter() returns end of file at
//   the size FUSE has cached
// User sees: read() of a file the server has grown ends too early while attributes
//   are cached
// Property: T6, E4
@@
identifier iocb;
expression C;
@@
fuse_passthrough_read_iter(struct kiocb *iocb, ...)
{
<...
-	if (!C)
+	if (!C || iocb->ki_pos >= i_size_read(file_inode(iocb->ki_filp)))
		return 0;
...>
}
