// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c iattr_to_fattr() does not send a size together with a file
//   handle
// User sees: ftruncate() succeeds and changes nothing
// Property: E2, E3, T6
@@
expression V;
statement S;
@@
iattr_to_fattr(...)
{
<...
-	if (V & ATTR_SIZE)
+	if ((V & ATTR_SIZE) && !(V & ATTR_FILE))
		S
...>
}
