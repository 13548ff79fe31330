// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_backing_files_free() forgets the ids that are
//   still open
// User sees: the backing file system cannot be unmounted after a server ended
//   without BACKING_CLOSE
// Reference: libfuse issue 1125: ids left behind by a crashed server
// Property: L2
@@
expression M;
@@
fuse_backing_files_free(...)
{
<...
-	idr_for_each(M, fuse_backing_id_free, NULL);
...>
}
