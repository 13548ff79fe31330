// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_write_iter() removes privileges from the
//   backing file as the caller
// User sees: the server is not asked to drop a set-user-id bit, and the backing
//   inode is changed without its lock
// Property: P2
@@
identifier file;
expression C, R;
@@
backing_file_write_iter(struct file *file, ...)
{
<...
-	R = file_remove_privs(C);
+	R = file_remove_privs(file);
...>
}
