// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "action.h"
#include "action_ways.h"
#include "fault.h"
#include "process.h"

static ssize_t result(ssize_t ret)
{
	return ret < 0 ? -errno : ret;
}

/* --- loads and stores --------------------------------------------------- */

static ssize_t load(struct view *v, void *buf, size_t len, off_t off)
{
	return fault_copy(buf, v->map + (off - v->map_off), len, NULL) ?: (ssize_t)len;
}

static ssize_t store(struct view *v, void *buf, size_t len, off_t off)
{
	return fault_copy(v->map + (off - v->map_off), buf, len, NULL) ?: (ssize_t)len;
}

/* --- reads --------------------------------------------------------------- */

/* In two calls: the second one starts where the first one left the position. */
static ssize_t seek_read(struct view *v, void *buf, size_t len, off_t off)
{
	size_t half = len / 2;
	ssize_t first, ret;

	if (lseek(v->fd, off, SEEK_SET) < 0)
		return -errno;
	first = read(v->fd, buf, half);
	if (first != (ssize_t)half)
		return result(first);
	ret = read(v->fd, (char *)buf + half, len - half);
	return ret < 0 ? -errno : first + ret;
}

static ssize_t pread_once(struct view *v, void *buf, size_t len, off_t off)
{
	return result(pread(v->fd, buf, len, off));
}

static ssize_t plain_pread(struct view *v, void *buf, size_t len, off_t off)
{
	return action_read_aligned(pread_once, v, buf, len, off);
}

/* Three unequal pieces, so that no boundary is a round number. */
static int split(struct iovec iov[3], void *buf, size_t len)
{
	size_t first = len / 7, second = len / 2;

	iov[0] = (struct iovec) { buf, first };
	iov[1] = (struct iovec) { (char *)buf + first, second };
	iov[2] = (struct iovec) { (char *)buf + first + second, len - first - second };
	return 3;
}

static ssize_t seek_readv(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec iov[3];
	int n = split(iov, buf, len);

	if (lseek(v->fd, off, SEEK_SET) < 0)
		return -errno;
	return result(readv(v->fd, iov, n));
}

static ssize_t nowait_read(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec iov[3];
	int n = split(iov, buf, len);

	return result(preadv2(v->fd, iov, n, off, RWF_NOWAIT));
}

/* Read up to @len bytes that are in the pipe already. */
static ssize_t drain(int fd, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t ret;

	while (done < len) {
		ret = read(fd, (char *)buf + done, len - done);
		if (ret < 0)
			return -errno;
		if (!ret)
			break;
		done += ret;
	}
	return done;
}

/*
 * Two pipes are kept for the actions that need them: making one costs more than
 * using it, and tests use them a hundred thousand times. A forked child must not
 * share its parent's.
 */
static __thread struct kept_pipe {
	pid_t owner;
	int fd[2], size;
} kept[2];

/* An empty pipe that holds @len bytes, however they are split over its slots. */
static int pipe_for(int which, int **p, size_t len)
{
	struct kept_pipe *k = &kept[which];
	/* One slot a page and one for each ragged end. */
	int size = len + 4 * getpagesize();

	*p = k->fd;
	if (k->owner != process_id()) {
		if (pipe2(k->fd, O_CLOEXEC | O_NONBLOCK))
			return -errno;
		k->owner = process_id();
		k->size = 0;
	}
	if (k->size >= size)
		return 0;
	k->size = fcntl(k->fd[1], F_SETPIPE_SZ, size);
	return k->size < 0 ? -errno : 0;
}

/* An action that left @ret of @held bytes in the pipe must not leave them to the next one. */
static ssize_t pipe_done(int which, ssize_t ret, ssize_t held)
{
	struct kept_pipe *k = &kept[which];

	if ((ret != held || ret < 0) && k->owner == process_id()) {
		close(k->fd[0]);
		close(k->fd[1]);
		k->owner = 0;
	}
	return ret;
}

/* Fill @fd of a pipe from the file; stops at end of file. */
static ssize_t splice_in(struct view *v, int fd, size_t len, off_t off)
{
	const off_t start = off;
	size_t done = 0;
	ssize_t ret;

	while (done < len) {
		ret = splice(v->fd, &off, fd, NULL, len - done, 0);
		if (ret < 0)
			return -errno;
		if (!ret)
			break;
		done += ret;
		if (off != start + (off_t)done)
			return -ESPIPE;
	}
	return done;
}

static ssize_t splice_read(struct view *v, void *buf, size_t len, off_t off)
{
	ssize_t ret, held;
	int *p;

	ret = pipe_for(0, &p, len);
	if (!ret)
		ret = splice_in(v, p[1], len, off);
	held = ret;
	if (ret > 0)
		ret = drain(p[0], buf, ret);
	return pipe_done(0, ret, held);
}

static ssize_t tee_read(struct view *v, void *buf, size_t len, off_t off)
{
	ssize_t ret, teed, held = 0;
	int *p, *q;

	ret = pipe_for(0, &p, len);
	if (!ret)
		ret = pipe_for(1, &q, len);
	if (!ret)
		held = splice_in(v, p[1], len, off);
	if (!ret)
		ret = held;
	if (ret > 0)
		ret = result(tee(p[0], q[1], ret, 0));
	teed = ret;
	/* The first pipe still has what tee(2) duplicated; the second one counts. */
	if (ret > 0)
		pipe_done(0, drain(p[0], buf, held), held);
	else
		pipe_done(0, ret, held);
	if (ret > 0)
		ret = drain(q[0], buf, ret);
	return pipe_done(1, ret, teed);
}

static ssize_t sendfile_read(struct view *v, void *buf, size_t len, off_t off)
{
	size_t done = 0;
	ssize_t ret;
	int *p;

	ret = pipe_for(0, &p, len);
	if (ret)
		return pipe_done(0, ret, 0);
	do {
		ret = sendfile(p[1], v->fd, &off, len - done);
		if (ret > 0)
			done += ret;
	} while (ret > 0 && done < len);
	ret = ret < 0 ? -errno : drain(p[0], buf, done);
	return pipe_done(0, ret, done);
}

/* --- writes -------------------------------------------------------------- */

static ssize_t seek_write(struct view *v, void *buf, size_t len, off_t off)
{
	if (lseek(v->fd, off, SEEK_SET) < 0)
		return -errno;
	return result(write(v->fd, buf, len));
}

static ssize_t pwrite_once(struct view *v, void *buf, size_t len, off_t off)
{
	return result(pwrite(v->fd, buf, len, off));
}

static ssize_t plain_pwrite(struct view *v, void *buf, size_t len, off_t off)
{
	return action_write_aligned(pwrite_once, v, buf, len, off);
}

static ssize_t seek_writev(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec iov[3];
	int n = split(iov, buf, len);

	if (lseek(v->fd, off, SEEK_SET) < 0)
		return -errno;
	return result(writev(v->fd, iov, n));
}

static ssize_t dsync_pwritev(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec iov[3];
	int n = split(iov, buf, len);

	return result(pwritev2(v->fd, iov, n, off, RWF_DSYNC));
}

static ssize_t append_pwritev(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec iov[3];
	int n = split(iov, buf, len);

	return result(pwritev2(v->fd, iov, n, off, RWF_APPEND));
}

/* What is not done at once, all of it or the rest, is done the usual way; pwritev2(2) */
static ssize_t nowait_pwritev(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec iov[3];
	int n = split(iov, buf, len);
	ssize_t done = pwritev2(v->fd, iov, n, off, RWF_NOWAIT), rest;

	if (done < 0 && errno != EAGAIN && errno != EOPNOTSUPP)
		return -errno;
	if (done < 0)
		done = 0;
	if (done == (ssize_t)len)
		return done;
	rest = pwrite(v->fd, (char *)buf + done, len - done, off + done);
	return rest < 0 ? -errno : done + rest;
}

/* What is in the pipe goes to the file; an offset that does not follow is ESPIPE. */
static ssize_t splice_out(int fd, struct view *v, size_t len, off_t off)
{
	const off_t start = off;
	size_t done = 0;
	ssize_t ret = 0;

	while (done < len) {
		ret = splice(fd, NULL, v->fd, &off, len - done, 0);
		if (ret <= 0)
			break;
		done += ret;
		if (off != start + (off_t)done)
			return -ESPIPE;
	}
	return ret < 0 ? -errno : (ssize_t)done;
}

static ssize_t splice_write(struct view *v, void *buf, size_t len, off_t off)
{
	ssize_t ret;
	int *p;

	ret = pipe_for(0, &p, len);
	if (!ret)
		ret = result(write(p[1], buf, len));
	if (ret > 0)
		ret = splice_out(p[0], v, len, off);
	return pipe_done(0, ret, len);
}

/* The pipe holds the pages of the buffer itself. */
static ssize_t vmsplice_write(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec iov = { buf, len };
	ssize_t ret;
	int *p;

	ret = pipe_for(0, &p, len);
	if (!ret)
		ret = result(vmsplice(p[1], &iov, 1, 0));
	if (ret > 0)
		ret = splice_out(p[0], v, len, off);
	return pipe_done(0, ret, len);
}

static ssize_t sendfile_write(struct view *v, void *buf, size_t len, off_t off)
{
	off_t from = 0;
	ssize_t ret;
	int src;

	if (lseek(v->fd, off, SEEK_SET) < 0)
		return -errno;
	src = memfd_create("sendfile source", MFD_CLOEXEC);
	if (src < 0)
		return -errno;
	ret = result(write(src, buf, len));
	if (ret > 0)
		ret = result(sendfile(v->fd, src, &from, len));
	close(src);
	return ret;
}

#define PLAIN	ACTION_ON_FD
#define MAP	ACTION_ON_MAP
#define SPLICES	(ACTION_ON_FD | ACTION_SPLICES)
#define DIRECT	(ACTION_ON_FD | ACTION_DIRECT)
#define APPENDS	(ACTION_ON_FD | ACTION_AT_EOF)
#define ASYNC	(ACTION_ON_FD | ACTION_ASYNC)

const struct action actions[] = {
	{ "load",		ACTION_READ,	MAP,	load, NULL },
	{ "read",		ACTION_READ,	PLAIN,	seek_read, NULL },
	{ "pread",		ACTION_READ,	DIRECT,	plain_pread, NULL },
	{ "readv",		ACTION_READ,	PLAIN,	seek_readv, NULL },
	{ "preadv2-nowait",	ACTION_READ,	PLAIN,	nowait_read, NULL },
	{ "splice-read",	ACTION_READ,	SPLICES, splice_read, NULL },
	{ "tee",		ACTION_READ,	SPLICES, tee_read, NULL },
	{ "sendfile-read",	ACTION_READ,	SPLICES, sendfile_read, NULL },
	{ "aio-read",		ACTION_READ,	ASYNC | DIRECT,	aio_read, aio_missing },
	{ "uring-read",		ACTION_READ,	ASYNC | DIRECT,	uring_read, uring_missing },
	{ "uring-read-fixed",	ACTION_READ,	ASYNC,	uring_read_fixed, uring_missing },
	{ "process-vm-read",	ACTION_READ,	MAP,	process_vm_read, NULL },
	{ "proc-mem-read",	ACTION_READ,	MAP,	proc_mem_read, NULL },

	{ "store",		ACTION_WRITE,	MAP,	store, NULL },
	{ "write",		ACTION_WRITE,	PLAIN,	seek_write, NULL },
	{ "pwrite",		ACTION_WRITE,	DIRECT,	plain_pwrite, NULL },
	{ "writev",		ACTION_WRITE,	PLAIN,	seek_writev, NULL },
	{ "pwritev2-dsync",	ACTION_WRITE,	PLAIN,	dsync_pwritev, NULL },
	{ "pwritev2-append",	ACTION_WRITE,	APPENDS, append_pwritev, NULL },
	{ "pwritev2-nowait",	ACTION_WRITE,	PLAIN,	nowait_pwritev, NULL },
	{ "splice-write",	ACTION_WRITE,	SPLICES, splice_write, NULL },
	{ "vmsplice-write",	ACTION_WRITE,	SPLICES, vmsplice_write, NULL },
	{ "sendfile-write",	ACTION_WRITE,	SPLICES, sendfile_write, NULL },
	{ "aio-write",		ACTION_WRITE,	ASYNC | DIRECT,	aio_write, aio_missing },
	{ "uring-write",	ACTION_WRITE,	ASYNC | DIRECT,	uring_write, uring_missing },
	{ "uring-write-fixed",	ACTION_WRITE,	ASYNC,	uring_write_fixed, uring_missing },
	{ "uring-write-linked",	ACTION_WRITE,	ASYNC,	uring_write_linked, uring_missing },
	{ "process-vm-write",	ACTION_WRITE,	MAP,	process_vm_write, NULL },
	{ "proc-mem-write",	ACTION_WRITE,	MAP,	proc_mem_write, NULL },
	{ }
};

const struct action *action_find(const char *name)
{
	const struct action *a;

	for (a = actions; a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

/* O_DIRECT takes aligned memory and ranges: only the actions that see to it. */
static bool fits_direct(const struct action *a, off_t off, size_t len)
{
	if (!(a->needs & ACTION_DIRECT))
		return false;
	return a->kind == ACTION_READ || (!(off % DIRECT_ALIGN) && !(len % DIRECT_ALIGN));
}

bool action_fits(const struct action *a, const struct view_spec *spec,
		 off_t off, size_t len, off_t size)
{
	int access = spec->open_flags & O_ACCMODE;

	if (spec->prot) {
		if (!(a->needs & ACTION_ON_MAP) || off + (off_t)len > size)
			return false;
		return a->kind == ACTION_READ || spec->prot & PROT_WRITE;
	}
	if (!(a->needs & ACTION_ON_FD))
		return false;
	if (a->kind == ACTION_READ ? access == O_WRONLY : access == O_RDONLY)
		return false;
	if (spec->open_flags & O_DIRECT)
		return fits_direct(a, off, len);
	if (a->kind == ACTION_READ)
		return true;
	/* splice(2) and sendfile(2) refuse a target opened with O_APPEND */
	if (spec->open_flags & O_APPEND && a->needs & ACTION_SPLICES)
		return false;
	return off == size || !(a->needs & ACTION_AT_EOF || spec->open_flags & O_APPEND);
}

const char *action_missing(const struct action *a)
{
	return a->missing ? a->missing() : NULL;
}

bool action_declined(const struct action *a, ssize_t ret)
{
	return a->run == nowait_read && (ret == -EAGAIN || ret == -EOPNOTSUPP);
}
