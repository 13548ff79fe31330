// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c process_init_reply() reads flags2 without FUSE_INIT_EXT
// User sees: passthrough is on although the reply did not say FUSE_INIT_EXT
// Reference: "fuse: Apply flags2 only when userspace set the FUSE_INIT_EXT" (6.5)
// Property: R2
@@
expression F;
statement S;
@@
process_init_reply(...)
{
<...
-	if (F & FUSE_INIT_EXT)
		S
...>
}
