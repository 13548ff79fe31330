// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "view.h"

#define RW	(PROT_READ | PROT_WRITE)

#define PT	SERVER_PASSTHROUGH

const struct view_spec view_specs[NR_VIEW_SPECS] = {
	[F1] = { "F1", VIEW_FUSE, O_RDWR, 0, 0, PT },
	[F2] = { "F2", VIEW_FUSE, O_RDWR, 0, 0, PT },
	[FA] = { "FA", VIEW_FUSE, O_RDWR | O_APPEND, 0, 0, PT },
	[FS] = { "FS", VIEW_FUSE, O_RDWR | O_SYNC, 0, 0, PT },
	[FD] = { "FD", VIEW_FUSE, O_RDWR | O_DIRECT, 0, 0, PT },
	[B]  = { "B",  VIEW_BACKING, O_RDWR, 0, 0, PT },
	[MS] = { "MS", VIEW_FUSE, O_RDWR, RW, MAP_SHARED, PT },
	[MR] = { "MR", VIEW_FUSE, O_RDONLY, PROT_READ, MAP_SHARED, PT },
	[MB] = { "MB", VIEW_BACKING, O_RDWR, RW, MAP_SHARED, PT },
	[FR] = { "FR", VIEW_FUSE, O_RDONLY, 0, 0, PT },
	[FX] = { "FX", VIEW_FUSE, O_RDWR, 0, 0, SERVER_PASSTHROUGH_DIRECT },
	[FN] = { "FN", VIEW_FUSE, O_RDWR, 0, 0, SERVER_DIRECT },
	[FC] = { "FC", VIEW_FUSE, O_RDWR, 0, 0, SERVER_CACHED },
	[MW] = { "MW", VIEW_FUSE, O_RDWR, RW, MAP_SHARED, PT },
	[MX] = { "MX", VIEW_FUSE, O_RDWR, RW, MAP_SHARED, SERVER_PASSTHROUGH_DIRECT },
	[MP] = { "MP", VIEW_FUSE, O_RDWR, RW, MAP_PRIVATE, PT },
};

const struct view_spec view_private = {
	"MP", VIEW_FUSE, O_RDWR, RW, MAP_PRIVATE, PT
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
