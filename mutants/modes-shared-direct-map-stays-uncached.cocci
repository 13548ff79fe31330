// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_file_mmap() does not enter caching mode for a shared
//   map of a direct-io file
// User sees: a passthrough open beside a shared mapping of a direct-io descriptor
//   succeeds instead of EIO
// Property: M3
@@
expression R, I, F;
@@
fuse_file_mmap(...)
{
<...
-		R = fuse_file_cached_io_open(I, F);
-		if (R)
-			return R;
...>
}
