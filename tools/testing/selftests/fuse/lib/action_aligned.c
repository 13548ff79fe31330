// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "action.h"
#include "action_ways.h"

ssize_t action_read_aligned(action_rw rw, struct view *v, void *buf, size_t len, off_t off)
{
	off_t start = off - off % DIRECT_ALIGN;
	size_t span = roundup(off + len, DIRECT_ALIGN) - start;
	ssize_t ret;
	void *bounce;

	if (!(v->spec->open_flags & O_DIRECT))
		return rw(v, buf, len, off);
	if (posix_memalign(&bounce, DIRECT_ALIGN, span))
		return -ENOMEM;
	ret = rw(v, bounce, span, start);
	if (ret >= 0) {
		ret = MAX(ret - (off - start), 0);
		ret = MIN(ret, (ssize_t)len);
		memcpy(buf, (char *)bounce + (off - start), ret);
	}
	free(bounce);
	return ret;
}

ssize_t action_write_aligned(action_rw rw, struct view *v, void *buf, size_t len, off_t off)
{
	ssize_t ret;
	void *bounce;

	if (!(v->spec->open_flags & O_DIRECT))
		return rw(v, buf, len, off);
	if (posix_memalign(&bounce, DIRECT_ALIGN, len))
		return -ENOMEM;
	memcpy(bounce, buf, len);
	ret = rw(v, bounce, len, off);
	free(bounce);
	return ret;
}
