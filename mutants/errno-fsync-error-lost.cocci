// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_fsync() reports success whatever the server answered
// User sees: fsync() returns 0 after the server failed it
// Property: L4
@@
identifier err;
@@
fuse_fsync(...)
{
<...
-	return err;
+	return 0;
...>
}
