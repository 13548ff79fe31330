// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() leaves the caller with the
//   registrant's credentials
// User sees: after one write() an unprivileged process is root
// Property: P1
@@
expression O;
@@
backing_file_write_iter(...)
{
<...
-	revert_creds(O);
...>
}
