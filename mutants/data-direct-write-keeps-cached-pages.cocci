// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_direct_io() does not drop the cached pages a direct
//   write replaced
// User sees: a shared mapping of a direct-io file keeps old bytes after write()
// Reference: 80e4f25262f9 ("fuse: invalidate page cache pages before direct
//   write"), and "fuse: invalidate the page cache after direct write" (2026)
// Property: M2
// Places: 2
@@
expression M, I, J, R;
identifier ia;
@@
fuse_direct_io(...)
{
<...
-		R = invalidate_inode_pages2_range(M, I, J);
-		if (R) {
-			fuse_io_free(ia);
-			return R;
-		}
...>
}

@@
expression M, I, J;
@@
fuse_direct_io(...)
{
<...
-		invalidate_inode_pages2_range(M, I, J);
...>
}
