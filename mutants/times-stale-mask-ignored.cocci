// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_update_get_attr() looks only at the attribute timeout
// User sees: stat() shows the old mtime after write() while attributes are cached
// Property: T4, T5
@@
expression X, M;
identifier inval_mask;
statement S;
@@
fuse_update_get_attr(...)
{
<...
-	if (M & inval_mask & ...)
-		X = true;
-	else
		S
...>
}
