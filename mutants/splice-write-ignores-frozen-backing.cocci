// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_splice_write() does not take freeze
//   protection
// User sees: splice() writes to a frozen backing file system
// Property: L6
// Places: 2
@@
expression F;
@@
backing_file_splice_write(...)
{
<...
-	file_start_write(F);
...>
}

@@
expression F;
@@
backing_file_splice_write(...)
{
<...
-	file_end_write(F);
...>
}
