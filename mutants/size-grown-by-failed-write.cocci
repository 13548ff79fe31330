// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_write_update_attr() does not look whether the write
//   succeeded
// User sees: a write far beyond the end that failed makes the kernel believe in a
//   longer file
// Property: T6
@@
expression W, P, I;
@@
fuse_write_update_attr(...)
{
<...
-	W > 0 && P > I->i_size
+	P > I->i_size
...>
}
