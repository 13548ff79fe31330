// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "view.h"

#define RW	(PROT_READ | PROT_WRITE)

const struct view_spec view_specs[NR_VIEWS] = {
	[F1] = { "F1", VIEW_FUSE, O_RDWR, 0, 0 },
	[F2] = { "F2", VIEW_FUSE, O_RDWR, 0, 0 },
	[FA] = { "FA", VIEW_FUSE, O_RDWR | O_APPEND, 0, 0 },
	[FS] = { "FS", VIEW_FUSE, O_RDWR | O_SYNC, 0, 0 },
	[FD] = { "FD", VIEW_FUSE, O_RDWR | O_DIRECT, 0, 0 },
	[B]  = { "B",  VIEW_BACKING, O_RDWR, 0, 0 },
	[MS] = { "MS", VIEW_FUSE, O_RDWR, RW, MAP_SHARED },
	[MR] = { "MR", VIEW_FUSE, O_RDONLY, PROT_READ, MAP_SHARED },
	[MB] = { "MB", VIEW_BACKING, O_RDWR, RW, MAP_SHARED },
};

const struct view_spec view_private = {
	"MP", VIEW_FUSE, O_RDWR, RW, MAP_PRIVATE
};

int view_open(struct view *v, const struct view_spec *spec, const char *path, size_t map_len)
{
	return view_open_at(v, spec, path, map_len, 0);
}

int view_open_at(struct view *v, const struct view_spec *spec, const char *path,
		 size_t map_len, off_t map_off)
{
	int err;

	memset(v, 0, sizeof(*v));
	v->fd = open(path, spec->open_flags | O_CLOEXEC);
	if (v->fd < 0)
		return -errno;

	if (spec->prot) {
		v->map = mmap(NULL, map_len, spec->prot, spec->map_flags, v->fd, map_off);
		if (v->map == MAP_FAILED) {
			err = -errno;
			close(v->fd);
			memset(v, 0, sizeof(*v));
			return err;
		}
		v->map_len = map_len;
		v->map_off = map_off;
	}
	v->spec = spec;
	return 0;
}

int view_close_fd(struct view *v)
{
	int fd = v->fd;

	v->fd = -1;
	if (!v->map)
		v->spec = NULL;
	return fd >= 0 && close(fd) ? -errno : 0;
}

void view_close(struct view *v)
{
	if (!v->spec)
		return;
	if (v->map)
		munmap(v->map, v->map_len);
	view_close_fd(v);
	memset(v, 0, sizeof(*v));
}
