// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() writes with the caller's
//   credentials
// User sees: what the registrant may write (reserved blocks, quota, set-user-id
//   files) the caller may not
// Property: P1, P2
// Places: 2
@@
expression O, C;
@@
backing_file_write_iter(...)
{
<...
-	O = override_creds(C);
...>
}

@@
expression O;
@@
backing_file_write_iter(...)
{
<...
-	revert_creds(O);
...>
}
