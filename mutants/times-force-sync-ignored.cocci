// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_update_get_attr() answers AT_STATX_FORCE_SYNC from the
//   cache
// User sees: statx(AT_STATX_FORCE_SYNC) shows old times after a mapped store
// Property: T9
@@
expression F, X;
@@
fuse_update_get_attr(...)
{
<...
	if (F & AT_STATX_FORCE_SYNC)
-		X = true;
+		X = false;
	else if (F & AT_STATX_DONT_SYNC)
		X = false;
	else if (...)
		X = true;
	else
		X = ...;
...>
}
