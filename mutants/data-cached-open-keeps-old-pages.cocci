// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_open() keeps cached pages although the server did not
//   say KEEP_CACHE
// User sees: a cached open after passthrough writes reads what the file held before
//   them
// Property: M1, C11
@@
expression E, F, M;
statement S;
@@
fuse_open(...)
{
<...
		if (E)
			S
-		else if (!(F->open_flags & FOPEN_KEEP_CACHE))
-			invalidate_inode_pages2(M);
...>
}
