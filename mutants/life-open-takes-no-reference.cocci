// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() uses the backing file of an
//   id without a reference
// User sees: the last close frees a registration that is still in use
// Property: L2, C10
@@
expression F;
@@
fuse_passthrough_open(...)
{
<...
-	F = fuse_backing_get(F);
...>
}
