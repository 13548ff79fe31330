// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/backing-file.c backing_file_read_iter() leaves the caller with the
//   registrant's credentials when there is no memory for an asynchronous read
// User sees: an unprivileged process that is short of memory is root
// Property: L8, P1
@@
identifier aio;
@@
backing_file_read_iter(...)
{
<...
	if (!aio)
-		goto out;
+		return -ENOMEM;
...>
}
