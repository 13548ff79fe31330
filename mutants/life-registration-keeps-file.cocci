// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_free() does not close the registered
//   file
// User sees: the backing file system cannot be unmounted after BACKING_CLOSE
// Property: L2
@@
expression F;
@@
fuse_backing_free(...)
{
<...
-	if (F->file)
-		fput(F->file);
...>
}
