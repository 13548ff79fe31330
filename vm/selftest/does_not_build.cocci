// Breaks: fs/fuse/passthrough.c
// Calls a function that nobody has.
@@
@@
 fuse_passthrough_mmap(...)
 {
+	no_such_function();
 ...
 }
