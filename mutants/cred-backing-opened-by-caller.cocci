// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() opens the backing file with
//   the caller's credentials
// User sees: a user whom the FUSE mount admits cannot open a file whose backing
//   file is root's alone
// Property: P1
@@
expression F, G, P, B;
@@
fuse_passthrough_open(...)
{
<...
-	backing_file_open(F, G, P, B->cred)
+	backing_file_open(F, G, P, current_cred())
...>
}
