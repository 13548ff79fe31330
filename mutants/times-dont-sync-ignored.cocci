// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_update_get_attr() asks the server despite
//   AT_STATX_DONT_SYNC
// User sees: statx(AT_STATX_DONT_SYNC) costs a GETATTR and blocks on a slow server
// Property: T9
@@
expression F, X;
@@
fuse_update_get_attr(...)
{
<...
	if (F & AT_STATX_FORCE_SYNC)
		X = true;
	else if (F & AT_STATX_DONT_SYNC)
-		X = false;
+		X = true;
	else if (...)
		X = true;
	else
		X = ...;
...>
}
