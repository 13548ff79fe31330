// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_free() does not drop the credentials
// User sees: every registration leaks its credentials
// Property: L2
@@
expression F;
@@
fuse_backing_free(...)
{
<...
-	put_cred(F->cred);
...>
}
