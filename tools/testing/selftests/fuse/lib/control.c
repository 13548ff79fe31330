// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control.h"

/* Younger than some C libraries; the same numbers on every architecture. */
#ifndef MADV_COLD
#define MADV_COLD		20
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

static int result(int ret)
{
	return ret ? -errno : 0;
}

/* --- size and holes ------------------------------------------------------- */

static int resize(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	(void)len;
	return result(ftruncate(v->fd, off));
}

static int allocate(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return result(fallocate(v->fd, 0, off, len));
}

static int allocate_keeping_size(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return result(fallocate(v->fd, FALLOC_FL_KEEP_SIZE, off, len));
}

static int punch_hole(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return result(fallocate(v->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len));
}

static int zero_range(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return result(fallocate(v->fd, FALLOC_FL_ZERO_RANGE, off, len));
}

/* --- flushing and caches -------------------------------------------------- */

static int sync_file(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	(void)off;
	(void)len;
	return result(fsync(v->fd));
}

static int sync_data(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	(void)off;
	(void)len;
	return result(fdatasync(v->fd));
}

/* Unlike the calls around it, posix_fadvise(3) returns its error. */
static int drop_cached(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return -posix_fadvise(v->fd, off, len, POSIX_FADV_DONTNEED);
}

static int msync_sync(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return result(msync(view_at(v, off), len, MS_SYNC));
}

static int msync_async(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return result(msync(view_at(v, off), len, MS_ASYNC));
}

static int msync_invalidate(struct view *v, const struct control *c, off_t off, size_t len)
{
	(void)c;
	return result(msync(view_at(v, off), len, MS_SYNC | MS_INVALIDATE));
}

/* --- memory management ---------------------------------------------------- */

static int advise(struct view *v, const struct control *c, off_t off, size_t len)
{
	return result(madvise(view_at(v, off), len, c->flag));
}

static int protect_cycle(struct view *v, const struct control *c, off_t off, size_t len)
{
	char *at = view_at(v, off);

	(void)c;
	if (mprotect(at, len, PROT_NONE))
		return -errno;
	return result(mprotect(at, len, v->spec->prot));
}

static int lock_cycle(struct view *v, const struct control *c, off_t off, size_t len)
{
	char *at = view_at(v, off);

	(void)c;
	if (mlock(at, len))
		return -errno;
	return result(munlock(at, len));
}

/* To another address: page tables move, the file does not notice. */
static int move(struct view *v, const struct control *c, off_t off, size_t len)
{
	char *to;

	(void)c;
	(void)off;
	(void)len;
	to = mmap(NULL, v->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return -errno;
	to = mremap(v->map, v->map_len, v->map_len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to == MAP_FAILED)
		return -errno;
	v->map = to;
	return 0;
}

/* --- flags ---------------------------------------------------------------- */

static int set_flag(struct view *v, const struct control *c, off_t off, size_t len)
{
	int flags = fcntl(v->fd, F_GETFL);

	(void)off;
	(void)len;
	return flags < 0 ? -errno : result(fcntl(v->fd, F_SETFL, flags | c->flag));
}

static int clear_flag(struct view *v, const struct control *c, off_t off, size_t len)
{
	int flags = fcntl(v->fd, F_GETFL);

	(void)off;
	(void)len;
	return flags < 0 ? -errno : result(fcntl(v->fd, F_SETFL, flags & ~c->flag));
}

#define KEEPS	CONTROL_KEEPS
#define RESERVES CONTROL_RESERVES
#define NO	CONTROL_FLUSHES_NOT
#define OWES	CONTROL_OWES
#define FLUSH	CONTROL_FLUSHES
#define ON_FD	ACTION_ON_FD
#define ON_MAP	ACTION_ON_MAP

const struct control controls[] = {
	{ "ftruncate",		ON_FD, CONTROL_RESIZES, NO, 0, resize },
	{ "fallocate",		ON_FD, CONTROL_ALLOCATES, NO, 0, allocate },
	{ "fallocate-keep-size", ON_FD, RESERVES, NO, 0, allocate_keeping_size },
	{ "punch-hole",		ON_FD, CONTROL_ZEROES, NO, 0, punch_hole },
	{ "zero-range",		ON_FD, CONTROL_ZEROES_ALLOCATES, NO, 0, zero_range },
	{ "fsync",		ON_FD, KEEPS, FLUSH, 0, sync_file },
	{ "fdatasync",		ON_FD, KEEPS, FLUSH, 0, sync_data },
	{ "fadvise-dontneed",	ON_FD, KEEPS, NO, 0, drop_cached },
	{ "set-append",		ON_FD, CONTROL_SETS_FLAG, NO, O_APPEND, set_flag },
	{ "clear-append",	ON_FD, CONTROL_CLEARS_FLAG, NO, O_APPEND, clear_flag },
	{ "set-direct",		ON_FD, CONTROL_SETS_FLAG, NO, O_DIRECT, set_flag },
	{ "clear-direct",	ON_FD, CONTROL_CLEARS_FLAG, NO, O_DIRECT, clear_flag },
	{ "msync-sync",		ON_MAP, KEEPS, FLUSH, 0, msync_sync },
	{ "msync-async",	ON_MAP, KEEPS, OWES, 0, msync_async },
	{ "msync-invalidate",	ON_MAP, KEEPS, FLUSH, 0, msync_invalidate },
	{ "madvise-dontneed",	ON_MAP, CONTROL_FORGETS, NO, MADV_DONTNEED, advise },
	{ "madvise-willneed",	ON_MAP, KEEPS, NO, MADV_WILLNEED, advise },
	{ "madvise-cold",	ON_MAP, KEEPS, NO, MADV_COLD, advise },
	{ "madvise-pageout",	ON_MAP, KEEPS, NO, MADV_PAGEOUT, advise },
	{ "madvise-populate-read", ON_MAP, KEEPS, NO, MADV_POPULATE_READ, advise },
	{ "madvise-remove",	ON_MAP, CONTROL_ZEROES, NO, MADV_REMOVE, advise },
	{ "mprotect-cycle",	ON_MAP, KEEPS, NO, 0, protect_cycle },
	{ "mlock-cycle",	ON_MAP, KEEPS, NO, 0, lock_cycle },
	{ "mremap",		ON_MAP, KEEPS, NO, 0, move },
	{ }
};

const struct control *control_find(const char *name)
{
	const struct control *c;

	for (c = controls; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

bool control_declined(const struct control *c, int err)
{
	if (err == -EOPNOTSUPP || err == -ENOSYS)
		return true;
	/* An advice the kernel does not know, or O_DIRECT on a file without it. */
	return err == -EINVAL && (c->run == advise || c->flag == O_DIRECT);
}
