// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() diverts shared mappings only
// User sees: an untouched MAP_PRIVATE page shows bytes that were never current
//   together with the rest of the file
// Property: C5, C8
// Places: 2
@@
identifier file, vma;
expression F, I;
@@
fuse_file_mmap(struct file *file, struct vm_area_struct *vma)
{
<...
-	if (fuse_file_passthrough(F))
+	if (fuse_file_passthrough(F) && (vma->vm_flags & VM_MAYSHARE))
		return fuse_passthrough_mmap(...);
-	else if (fuse_inode_backing(I))
+	else if (!fuse_file_passthrough(F) && fuse_inode_backing(I))
		return -ENODEV;
...>
}
