// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c process_init_reply() does not raise the stacking depth of
//   the mount
// User sees: an overlay on a mount of depth 2 can be mounted, and the mount can
//   back itself
// Property: R2
@@
expression S, A;
@@
process_init_reply(...)
{
<...
-	S->s_stack_depth = A->max_stack_depth;
...>
}
