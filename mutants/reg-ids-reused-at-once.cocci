// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_id_alloc() hands out the lowest free
//   id
// User sees: a stale id of a closed file means another file at once
// Property: L2
@@
expression M, F, S, E, G;
@@
fuse_backing_id_alloc(...)
{
<...
-	idr_alloc_cyclic(M, F, S, E, G)
+	idr_alloc(M, F, S, E, G)
...>
}
