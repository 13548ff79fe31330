// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c fuse_fillattr() reports the mtime as ctime
// User sees: stat() shows the mtime for the ctime
// Property: T5, T9
@@
expression S, A;
@@
fuse_fillattr(...)
{
<...
-	S->ctime.tv_sec = A->ctime;
+	S->ctime.tv_sec = A->mtime;
...>
}
