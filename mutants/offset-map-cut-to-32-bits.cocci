// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_mmap() computes the offset in 32
//   bits
// User sees: a mapping beyond 4 GiB shows the bytes 4 GiB earlier
// Property: C17
@@
typedef u32;
identifier vma;
expression B, C;
@@
fuse_passthrough_mmap(struct file *file, struct vm_area_struct *vma)
{
<...
+	vma->vm_pgoff = (u32)(vma->vm_pgoff << PAGE_SHIFT) >> PAGE_SHIFT;
	return backing_file_mmap(B, vma, C);
...>
}
