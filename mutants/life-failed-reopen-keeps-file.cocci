// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_open() does not free the file it could not
//   open
// User sees: the FUSE mount cannot be unmounted after a passthrough open failed to
//   open the backing file
// Property: L2, R1
@@
expression F, E;
@@
backing_file_open(...)
{
<...
-		fput(F);
		F = ERR_PTR(E);
...>
}
