// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() allows shared mappings of direct-io files
//   to every server
// User sees: mmap(MAP_SHARED) of a direct-io file succeeds without
//   FUSE_DIRECT_IO_ALLOW_MMAP
// Property: M2
@@
expression V, C;
@@
fuse_file_mmap(...)
{
<...
-		if ((V->vm_flags & VM_MAYSHARE) && !C->direct_io_allow_mmap)
-			return -ENODEV;
...>
}
