// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_read_iter() turns an error into
//   end of file
// User sees: read() into an unwritable buffer returns 0 instead of EFAULT
// Property: C7
@@
expression list ES;
identifier ret;
@@
fuse_passthrough_read_iter(...)
{
<...
	ret = backing_file_read_iter(ES);
+	if (ret < 0 && ret != -EIOCBQUEUED)
+		ret = 0;
...>
}
