// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() forgets the registration it has
//   no id for
// User sees: the backing file system cannot be unmounted after a registration that
//   failed with ENOMEM
// Property: L8
@@
identifier fb, res;
@@
fuse_backing_open(...)
{
<...
	if (res < 0) {
-		fuse_backing_free(fb);
		fb = NULL;
	}
...>
}
