// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_setattr() leaves the set-user-id bit to servers that
//   do not handle it
// User sees: a set-user-id bit survives write() by a user without CAP_FSETID
// Property: P2
@@
expression C;
statement S;
@@
fuse_setattr(...)
{
<...
-	if (!C->handle_killpriv && !C->handle_killpriv_v2)
+	if (C->handle_killpriv && !C->handle_killpriv_v2)
		S
...>
}
