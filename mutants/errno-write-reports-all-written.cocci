// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_write_iter() returns what was
//   asked, not what was written
// User sees: write() reports success when the backing file system is full or the
//   buffer unreadable
// Property: C7, E6
@@
identifier count, ret;
expression E;
@@
fuse_passthrough_write_iter(...)
{
...
size_t count = E;
...
-	return ret;
+	return ret == -EIOCBQUEUED ? ret : count;
}
