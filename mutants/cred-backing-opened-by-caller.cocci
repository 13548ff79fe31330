// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() opens the backing file with
//   the caller's credentials
// User sees: nothing without a security module
// Property: P1
// Equivalent: backing_file_open() opens a path that was looked up at registration, and
//   vfs_open() checks no permission; only the hook of a security module sees whose
//   credentials the open had
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
