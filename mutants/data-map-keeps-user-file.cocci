// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_mmap() calls the backing mmap without
//   vma_set_file()
// User sees: page faults look into the FUSE page cache; mapped bytes are stale or
//   the fault fails
// Property: C1, C2, C5
// Places: 2
@@
expression V, F;
@@
backing_file_mmap(...)
{
<...
-	vma_set_file(V, F);
...>
}

@@
identifier file, vma;
@@
backing_file_mmap(struct file *file, struct vm_area_struct *vma, ...)
{
<...
(
-	call_mmap(vma->vm_file, vma)
+	call_mmap(file, vma)
|
-	vfs_mmap(vma->vm_file, vma)
+	vfs_mmap(file, vma)
)
...>
}
