// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/dir.c iattr_to_fattr() does not mark the mtime as given
// User sees: futimens() does not set mtime
// Property: T8
@@
expression A;
@@
iattr_to_fattr(...)
{
<...
-	A->valid |= FATTR_MTIME;
...>
}
