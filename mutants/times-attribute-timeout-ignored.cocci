// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_update_get_attr() never lets cached attributes expire
// User sees: stat() shows old mtime and size after a mapped store or growth
//   although the attribute timeout is 0
// Property: T2, T9
@@
expression X, T;
@@
fuse_update_get_attr(...)
{
<...
-	X = time_before64(T, get_jiffies_64());
+	X = false;
...>
}
