// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_splice_read() splices a passthrough file from the
//   FUSE page cache
// User sees: splice() and sendfile() return old bytes after a store or write()
// Property: C2, C5
@@
expression F;
statement S;
@@
fuse_splice_read(...)
{
<...
-	if (fuse_file_passthrough(F) && !(F->open_flags & FOPEN_DIRECT_IO))
-		return fuse_passthrough_splice_read(...);
-	else
		S
...>
}
