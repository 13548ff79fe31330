// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_fallocate() does not store the new size
// User sees: copy_file_range() from a file extended by fallocate() stops at the old
//   end
// Property: T6
@@
expression I, P, N, F;
@@
fuse_file_fallocate(...)
{
<...
-	if (fuse_write_update_attr(I, P, N))
-		file_update_time(F);
...>
}
