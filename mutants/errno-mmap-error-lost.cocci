// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_mmap() reports success whatever
//   the backing file said
// User sees: a mapping the backing file refused exists, and touching it is fatal
// Property: M4
@@
expression list ES;
@@
fuse_passthrough_mmap(...)
{
<...
-	return backing_file_mmap(ES);
+	backing_file_mmap(ES);
+	return 0;
...>
}
