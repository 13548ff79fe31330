// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() opens the backing file
//   without O_NOATIME
// User sees: read() of a file opened with O_NOATIME moves its access time
// Property: T4
@@
expression F, P, C;
@@
fuse_passthrough_open(...)
{
<...
-	backing_file_open(F, F->f_flags, P, C)
+	backing_file_open(F, F->f_flags & ~O_NOATIME, P, C)
...>
}
