// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_fallocate() passes every mode to the server
// User sees: fallocate(COLLAPSE_RANGE) moves the bytes of the backing file under
//   cached sizes
// Property: E5
@@
identifier mode;
expression M;
@@
fuse_file_fallocate(...)
{
<...
-	if (mode & ~M)
-		return -EOPNOTSUPP;
...>
}
