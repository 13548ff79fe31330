// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_mmap() leaves the caller with the
//   registrant's credentials
// User sees: after one mmap() an unprivileged process is root
// Property: P1
@@
expression O, R, V;
@@
backing_file_mmap(...)
{
<...
	R = \(call_mmap\|vfs_mmap\)(V->vm_file, V);
-	revert_creds(O);
...>
}
