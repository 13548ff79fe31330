// Breaks: fs/fuse/passthrough.c
@@
@@
- no_such_function();
