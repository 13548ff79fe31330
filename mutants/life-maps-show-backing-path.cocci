// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_open() keeps the path of the backing file
//   for the user's path
// User sees: /proc/PID/maps shows the backing file for a mapping made through FUSE
// Property: L3
// Places: 1
@@
expression F, P;
identifier real_path;
@@
backing_file_open(..., const struct path *real_path, const struct cred *cred)
{
<...
-	path_get(P);
-	backing_file_set_user_path(F, P);
+	path_get(real_path);
+	backing_file_set_user_path(F, real_path);
...>
}
