// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() does not close the file when there
//   is no memory for its registration
// User sees: the backing file system cannot be unmounted after a registration that
//   failed with ENOMEM
// Property: L8
@@
identifier fb;
@@
fuse_backing_open(...)
{
<...
	if (!fb)
-		goto out_fput;
+		goto out;
...>
}
