// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "deviation.h"

const struct deviation deviations[] = {
	{
		.id = "D1",
		.what = "stat through FUSE keeps the old mtime and ctime after a mapped store while attributes are cached",
		.kernels = "6.12, 6.18",
		.reference = "fuse_passthrough_mmap() marks only atime stale; xfstests generic/080 and 215 on passthrough, March 2024",
	},
	{
		.id = "D2",
		.what = "a mapping outlives close(): the inode leaves passthrough mode, a cached open is accepted and reads stale data",
		.kernels = "6.12, 6.18",
		.reference = "backing_file_mmap() pins the backing file, not the FUSE file; mmap(2): close() does not unmap",
	},
	{ }
};

const struct deviation *deviation_find(const char *id)
{
	const struct deviation *d;

	for (d = deviations; d->id; d++)
		if (!strcmp(d->id, id))
			return d;
	return NULL;
}

bool deviation_strict(void)
{
	const char *strict = getenv("FUSE_STRICT");

	return strict && *strict && strcmp(strict, "0");
}
