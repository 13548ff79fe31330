// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_passthrough_open() leaves the backing file of
//   a refused open to the release
// User sees: nothing
// Property: M1
// Equivalent: the failed open is released at once, and the release closes a backing
//   file that is still there
@@
expression F, B;
@@
fuse_file_passthrough_open(...)
{
<...
-	fuse_passthrough_release(F, B);
...>
}
