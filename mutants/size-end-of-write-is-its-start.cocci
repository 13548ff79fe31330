// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_end_write() reports where the
//   write began, not where it ended
// User sees: the kernel's file size is short by the last write
// Reference: f03b296e8b51 ("fs: pass offset and result to backing_file end_write()
//   callback")
// Property: T6
@@
expression I, P, R;
@@
fuse_passthrough_end_write(...)
{
<...
-	fuse_write_update_attr(I, P, R);
+	fuse_write_update_attr(I, P - max_t(ssize_t, R, 0), R);
...>
}
