// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_read_iter() counts one user of an
//   asynchronous request instead of two
// User sees: a completed request is freed twice
// Property: L2
@@
expression A;
@@
backing_file_read_iter(...)
{
<...
-	refcount_set(&A->ref, 2);
+	refcount_set(&A->ref, 1);
...>
}
