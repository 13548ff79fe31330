// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() completes O_DIRECT writes in
//   the context of the block layer
// User sees: lock order reports, or a deadlock, when an O_DIRECT request of
//   io_submit() extends a file
// Reference: 389a4a4a1985 ("ovl: punt write aio completion to workqueue")
// Property: T6
// Equivalent: on the file systems of the suite. ext4, xfs and btrfs complete what
//   io_submit() writes from a workqueue of their own (iomap_dio_bio_end_io()), tmpfs
//   before it returns; only file systems beside iomap complete in the block layer
@@
expression A;
@@
backing_file_write_iter(...)
{
<...
-	A->iocb.ki_complete = backing_aio_queue_completion;
+	A->iocb.ki_complete = backing_aio_rw_complete;
...>
}
