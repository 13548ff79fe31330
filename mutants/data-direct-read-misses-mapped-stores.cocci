// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_direct_io() does not write dirty pages back first
// User sees: read() of a direct-io file returns bytes older than a store in its
//   shared mapping
// Reference: "fuse: write back dirty pages before direct write in direct_io_relax
//   mode" (6.6)
// Property: M2
@@
expression M, A, B, R;
identifier ia;
@@
fuse_direct_io(...)
{
<...
-		R = filemap_write_and_wait_range(M, A, B);
-		if (R) {
-			fuse_io_free(ia);
-			return R;
-		}
...>
}
