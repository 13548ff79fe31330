// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_write_update_attr() stores the end of any write as
//   the size
// User sees: after a write in the middle the kernel takes the file for shorter than
//   it is
// Property: T6
@@
expression W, P, I;
@@
fuse_write_update_attr(...)
{
<...
-	W > 0 && P > I->i_size
+	W > 0 && P != I->i_size
...>
}
