// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() treats private maps of direct-io files
//   like shared ones
// User sees: a private mapping of a direct-io descriptor makes passthrough opens
//   fail with EIO
// Property: M3
@@
expression V, F;
@@
fuse_file_mmap(...)
{
<...
-		if (!(V->vm_flags & VM_MAYSHARE)) {
-			return generic_file_mmap(F, V);
-		}
...>
}
