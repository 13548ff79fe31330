// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() does not enter a shared map in the list
//   of write files
// User sees: a store in a shared mapping of a direct-io file never reaches the
//   server
// Reference: "fuse: fix VM_MAYSHARE and direct_io_allow_mmap" (6.8)
// Property: M2
@@
expression V, F;
@@
fuse_file_mmap(...)
{
<...
-	if ((V->vm_flags & VM_SHARED) && (V->vm_flags & VM_MAYWRITE))
-		fuse_link_write_file(F);
...>
}
