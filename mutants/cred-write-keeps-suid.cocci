// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() does not remove privileges
// User sees: a set-user-id bit survives write() by a user without CAP_FSETID
// Reference: passthrough v14 (2023) forgot this and failed generic/193 and
//   generic/355
// Property: P2
@@
expression R, F;
@@
backing_file_write_iter(...)
{
<...
-	R = file_remove_privs(F);
-	if (R)
-		return R;
...>
}
