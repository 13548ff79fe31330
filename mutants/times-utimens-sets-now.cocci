// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c iattr_to_fattr() asks for the current time when a time was
//   given
// User sees: futimens() sets mtime to now
// Property: T8
@@
expression V, T;
statement S;
@@
iattr_to_fattr(...)
{
<...
-	if (!(V & ATTR_MTIME_SET) && !T)
+	if ((V & ATTR_MTIME_SET) && !T)
		S
...>
}
