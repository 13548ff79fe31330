// SPDX-License-Identifier: GPL-2.0
//
// Breaks: fs/fuse/passthrough.c fuse_passthrough_open() takes an id below one for no
//   id at all
// User sees: an open with FOPEN_PASSTHROUGH and the id 0 succeeds without a backing
//   file, and its reads and writes go wrong
// Property: R1, M1
@@
identifier ID;
@@
fuse_passthrough_open(..., int ID)
{
<...
	if (ID <= 0)
-		goto out;
+		return NULL;
...>
}
