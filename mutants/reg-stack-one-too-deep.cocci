// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_open() allows one level of stacking
//   too many
// User sees: a file of an overlay or of the passthrough mount itself is registered
//   instead of ELOOP
// Property: R2
@@
expression S, C;
@@
fuse_backing_open(...)
{
<...
-	S->s_stack_depth >= C->max_stack_depth
+	S->s_stack_depth > C->max_stack_depth
...>
}
