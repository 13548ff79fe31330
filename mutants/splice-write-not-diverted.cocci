// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_splice_write() leaves a passthrough file to
//   iter_file_splice_write()
// User sees: nothing
// Property: C1, C5
// Equivalent: iter_file_splice_write() calls write_iter of the file, which is
//   diverted to the backing file, with the same lock, credentials, privilege drop,
//   position and size update
@@
expression F;
statement S;
@@
fuse_splice_write(...)
{
<...
-	if (fuse_file_passthrough(F) && !(F->open_flags & FOPEN_DIRECT_IO))
-		return fuse_passthrough_splice_write(...);
-	else
		S
...>
}
