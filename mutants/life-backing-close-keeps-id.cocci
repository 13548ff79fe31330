// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_id_remove() finds the id but leaves it
//   in the table
// User sees: a closed id opens files, and closing it twice frees it twice
// Property: M1, R1, L2
@@
expression M, I;
@@
fuse_backing_id_remove(...)
{
<...
-	idr_remove(M, I)
+	idr_find(M, I)
...>
}
