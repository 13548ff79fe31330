// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_splice_read() leaves the caller with the
//   registrant's credentials
// User sees: after one splice() an unprivileged process is root
// Property: P1
@@
expression O;
@@
backing_file_splice_read(...)
{
<...
-	revert_creds(O);
...>
}
