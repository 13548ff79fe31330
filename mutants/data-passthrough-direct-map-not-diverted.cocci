// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() does not divert mappings of
//   passthrough|direct files
// User sees: mmap() of a passthrough|direct file fails with ENODEV
// Property: C6, M2
@@
expression F;
statement S1, S2;
@@
fuse_file_mmap(...)
{
<...
-	if (fuse_file_passthrough(F))
+	if (fuse_file_passthrough(F) && !(F->open_flags & FOPEN_DIRECT_IO))
		S1
	else
		S2
...>
}
