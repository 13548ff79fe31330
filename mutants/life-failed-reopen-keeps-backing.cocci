// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() does not drop the id when
//   the backing file cannot be opened
// User sees: the backing file system cannot be unmounted after such an open failed
// Property: L2, R1
@@
expression F, B;
@@
fuse_passthrough_open(...)
{
<...
	if (IS_ERR(B)) {
-		fuse_backing_put(F);
		...
	}
...>
}
