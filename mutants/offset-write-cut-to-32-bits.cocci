// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_write_iter() keeps the position in
//   32 bits
// User sees: write() beyond 4 GiB overwrites the bytes 4 GiB earlier
// Property: C17
@@
typedef u32;
identifier iocb;
expression R;
expression list ES;
@@
fuse_passthrough_write_iter(struct kiocb *iocb, ...)
{
<...
+	iocb->ki_pos = (u32)iocb->ki_pos;
	R = backing_file_write_iter(ES);
...>
}
