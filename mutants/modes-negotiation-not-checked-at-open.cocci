// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/iomode.c fuse_file_passthrough_open() does not look whether
//   passthrough was negotiated
// User sees: nothing
// Property: R2
// Equivalent: without negotiation no id can be registered, so the lookup of the id
//   fails and the open ends with the same EIO
@@
expression C, A;
@@
fuse_file_passthrough_open(...)
{
<...
-	A || !C->passthrough
+	A
...>
}
