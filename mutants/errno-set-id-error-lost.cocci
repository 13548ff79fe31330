// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() and backing_file_splice_write()
//   go on when set-user-ID cannot be taken away
// User sees: a set-user-id program is written to and stays one when the server refuses
//   to clear the bit
// Property: P2
// Places: 2
@@
expression R, F;
@@
	R = file_remove_privs(F);
-	if (R)
-		return R;
