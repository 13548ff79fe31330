// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_open() keeps the user's path without a
//   reference
// User sees: the mount and dentry of an open FUSE file are freed under it
// Property: L2, L3
@@
expression P;
@@
backing_file_open(...)
{
<...
-	path_get(P);
...>
}
