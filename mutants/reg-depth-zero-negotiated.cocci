// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c process_init_reply() negotiates passthrough with a
//   stacking depth of 0
// User sees: BACKING_OPEN after a reply with depth 0 fails with ELOOP instead of
//   EPERM
// Property: R2
@@
expression A, B;
@@
process_init_reply(...)
{
<...
-	A && B->max_stack_depth > 0
+	A
...>
}
