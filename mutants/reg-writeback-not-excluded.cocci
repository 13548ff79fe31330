// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c process_init_reply() negotiates passthrough together with
//   the writeback cache
// User sees: BACKING_OPEN succeeds on a mount with the writeback cache, and stat()
//   never shows backing times
// Reference: 3ab394b363c5 ("fuse: disable the combination of passthrough and
//   writeback cache")
// Property: R2
@@
expression A, F;
statement S;
@@
process_init_reply(...)
{
<...
-	if (A && !(F & FUSE_WRITEBACK_CACHE))
+	if (A)
		S
...>
}
