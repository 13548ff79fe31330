// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() does not set up the
//   completion queue of the superblock
// User sees: the kernel oopses at the first O_DIRECT write by io_submit() or
//   io_uring
// Property: C1
@@
expression R, I;
@@
backing_file_write_iter(...)
{
<...
-		R = backing_aio_init_wq(I);
-		if (R)
-			goto out;
...>
}
