// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() opens the backing file
//   read-only
// User sees: write() to a passthrough file fails with EBADF
// Property: C1
@@
expression F, P, C;
@@
fuse_passthrough_open(...)
{
<...
-	backing_file_open(F, F->f_flags, P, C)
+	backing_file_open(F, F->f_flags & ~O_ACCMODE, P, C)
...>
}
