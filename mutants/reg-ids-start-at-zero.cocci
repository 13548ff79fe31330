// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_id_alloc() hands out id 0
// User sees: a kernel warning at the first BACKING_OPEN, whose id cannot be used
// Property: R1
@@
expression M, F, E, G;
@@
fuse_backing_id_alloc(...)
{
<...
-	idr_alloc_cyclic(M, F, 1, E, G)
+	idr_alloc_cyclic(M, F, 0, E, G)
...>
}
