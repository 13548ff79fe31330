// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() diverts only mappings that can be stored
//   to
// User sees: a PROT_READ shared mapping keeps old bytes after write()
// Property: C1, C2, C5
// Places: 2
@@
identifier file, vma;
expression F, I;
@@
fuse_file_mmap(struct file *file, struct vm_area_struct *vma)
{
<...
-	if (fuse_file_passthrough(F))
+	if (fuse_file_passthrough(F) && (vma->vm_flags & VM_WRITE))
		return fuse_passthrough_mmap(...);
-	else if (fuse_inode_backing(I))
+	else if (!fuse_file_passthrough(F) && fuse_inode_backing(I))
		return -ENODEV;
...>
}
