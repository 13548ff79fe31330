// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_send_open() strips O_TRUNC from servers that do
//   truncate at open
// User sees: open(O_TRUNC) does not truncate the backing file
// Property: E2
@@
expression F;
statement S;
@@
fuse_send_open(...)
{
<...
-	if (!F->atomic_o_trunc)
+	if (F->atomic_o_trunc)
		S
...>
}
