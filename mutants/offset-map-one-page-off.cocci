// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_mmap() maps from one page earlier
// User sees: a mapping that does not begin at 0 shows the bytes of the page before
// Property: C1, C17
@@
identifier vma;
expression B, C;
@@
fuse_passthrough_mmap(struct file *file, struct vm_area_struct *vma)
{
<...
+	if (vma->vm_pgoff)
+		vma->vm_pgoff--;
	return backing_file_mmap(B, vma, C);
...>
}
