// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_fsync() does not ask the server
// User sees: fsync() returns and the server never synced the backing file
// Property: L4
@@
expression E, F, S, N, D;
@@
fuse_fsync(...)
{
<...
-	E = fuse_fsync_common(F, S, N, D, FUSE_FSYNC);
...>
}
