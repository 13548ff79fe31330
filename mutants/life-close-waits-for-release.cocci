// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_release() waits for the reply to RELEASE
// User sees: close() and exit() hang while the server is busy
// Property: L6
@@
expression F, E;
@@
fuse_file_release(...)
{
<...
-	fuse_file_put(F, E);
+	fuse_file_put(F, true);
...>
}
