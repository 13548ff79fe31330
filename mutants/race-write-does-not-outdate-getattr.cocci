// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/file.c fuse_write_update_attr() does not advance the attribute
//   version
// User sees: a slow GETATTR reply takes the size back to what it was before a
//   write()
// Property: T6
@@
expression F, E;
@@
fuse_write_update_attr(...)
{
<...
-	F->attr_version = E;
...>
}
