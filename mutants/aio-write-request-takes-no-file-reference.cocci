// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() clones the request without a
//   reference to the backing file
// User sees: after the first asynchronous write the backing file is freed while in
//   use
// Property: L2
@@
expression A, B, F;
@@
backing_file_write_iter(...)
{
<...
-	kiocb_clone(A, B, get_file(F));
+	kiocb_clone(A, B, F);
...>
}
