// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_io_open() returns the inner reason of a
//   refused open
// User sees: a server's mistake shows as EINVAL, ENOENT, EBUSY or ETXTBSY instead
//   of EIO
// Property: M1
@@
identifier err;
@@
fuse_file_io_open(...)
{
...
int err;
<...
-	return -EIO;
+	return err;
...>
}
