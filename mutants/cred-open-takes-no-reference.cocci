// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() keeps credentials without a
//   reference
// User sees: the credentials of the registration are freed at the first close
// Property: P1, L2
@@
expression F, B;
@@
fuse_passthrough_open(...)
{
<...
-	F->cred = get_cred(B->cred);
+	F->cred = B->cred;
...>
}
