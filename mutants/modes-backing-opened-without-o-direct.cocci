// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() opens the backing file
//   without O_DIRECT
// User sees: unaligned I/O to a file opened with O_DIRECT succeeds, aligned I/O
//   fills the page cache
// Property: M5, C1
@@
expression F, P, C;
@@
fuse_passthrough_open(...)
{
<...
-	backing_file_open(F, F->f_flags, P, C)
+	backing_file_open(F, F->f_flags & ~O_DIRECT, P, C)
...>
}
