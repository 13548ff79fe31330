// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_release() does not drop the
//   credentials
// User sees: every registration that was opened leaks its credentials
// Property: L2
@@
expression F;
@@
fuse_passthrough_release(...)
{
<...
-	put_cred(F->cred);
...>
}
