// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_llseek() takes SEEK_END from the cached size
// User sees: lseek(SEEK_END) ignores growth of the file even when attributes may
//   not be cached
// Property: T6
@@
expression R, E1, E2, E3;
@@
fuse_file_llseek(...)
{
<...
-	R = fuse_update_attributes(E1, E2, E3);
+	R = 0;
...>
}
