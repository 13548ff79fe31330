// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_invalidate_atime() marks atime stale on read-only
//   mounts only
// User sees: stat() keeps the old access time after read(), splice() and mmap()
// Property: T4
@@
expression I;
statement S;
@@
fuse_invalidate_atime(...)
{
<...
-	if (!IS_RDONLY(I))
+	if (IS_RDONLY(I))
		S
...>
}
