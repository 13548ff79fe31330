// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c process_init_reply() negotiates any stacking depth
// User sees: BACKING_OPEN after a reply with depth 3 succeeds instead of EPERM
// Property: R2
@@
expression A, B;
@@
process_init_reply(...)
{
<...
-	A && B->max_stack_depth <= FILESYSTEM_MAX_STACK_DEPTH
+	A
...>
}
