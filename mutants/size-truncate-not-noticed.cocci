// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_do_setattr() does not store the size the server
//   answered
// User sees: stat() shows the size before truncate() while attributes are cached
// Property: E2, T6
@@
expression I, A;
@@
fuse_do_setattr(...)
{
<...
-		i_size_write(I, A.attr.size);
+		;
...>
}
