// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() keeps the opener's
//   credentials for I/O
// User sees: what the registrant may write (reserved blocks, quota) the caller may
//   not
// Property: P1
@@
expression F, B;
@@
fuse_passthrough_open(...)
{
<...
-	F->cred = get_cred(B->cred);
+	F->cred = get_current_cred();
...>
}
