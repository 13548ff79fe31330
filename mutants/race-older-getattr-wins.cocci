// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/inode.c fuse_change_attributes_i() takes a GETATTR reply that is
//   older than a write
// User sees: a slow GETATTR reply takes the size back to what it was before a
//   write()
// Property: T6
@@
identifier attr_version, fi;
expression B;
statement S;
@@
\(fuse_change_attributes_i\|fuse_change_attributes\)(...)
{
<...
-	if ((attr_version != 0 && fi->attr_version > attr_version) || B)
+	if (B)
		S
...>
}
