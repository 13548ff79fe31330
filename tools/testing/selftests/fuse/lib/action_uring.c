// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "action_ways.h"
#include "process.h"

#ifdef HAVE_LIBURING
#include <liburing.h>
#include <stdlib.h>

/* Requests in flight at once, and the memory registered for the fixed ones. */
#define ENTRIES		4
#define FIXED_BYTES	(256 * 1024)

/* The ring of this thread; a forked child makes its own. */
static __thread struct kept_ring {
	pid_t owner;
	struct io_uring ring;
	void *fixed;
} kept;

static int ring_of_thread(void)
{
	struct iovec iov;
	int err;

	if (kept.owner == process_id())
		return 0;
	err = io_uring_queue_init(ENTRIES, &kept.ring, 0);
	if (err)
		return err;
	if (posix_memalign(&kept.fixed, sysconf(_SC_PAGESIZE), FIXED_BYTES)) {
		io_uring_queue_exit(&kept.ring);
		return -ENOMEM;
	}
	iov = (struct iovec) { kept.fixed, FIXED_BYTES };
	err = io_uring_register_buffers(&kept.ring, &iov, 1);
	if (err) {
		io_uring_queue_exit(&kept.ring);
		free(kept.fixed);
		return err;
	}
	kept.owner = process_id();
	return 0;
}

const char *uring_missing(void)
{
	switch (ring_of_thread()) {
	case -ENOSYS:
		return "no io_uring in this kernel: CONFIG_IO_URING";
	case -EPERM:
		return "io_uring is switched off: sysctl kernel.io_uring_disabled";
	default:
		return NULL;
	}
}

/* Submit what was prepared and add up @n results; the first error wins. */
static ssize_t finish_on(struct io_uring *ring, int n)
{
	struct io_uring_cqe *cqe;
	ssize_t sum = 0;
	int err;

	err = io_uring_submit_and_wait(ring, n);
	if (err < 0)
		return err;
	while (n--) {
		err = io_uring_wait_cqe(ring, &cqe);
		if (err)
			return err;
		if (sum >= 0)
			sum = cqe->res < 0 ? cqe->res : sum + cqe->res;
		io_uring_cqe_seen(ring, cqe);
	}
	return sum;
}

static ssize_t finish(int n)
{
	return finish_on(&kept.ring, n);
}

static ssize_t read_once(struct view *v, void *buf, size_t len, off_t off)
{
	int err = ring_of_thread();

	if (err)
		return err;
	io_uring_prep_read(io_uring_get_sqe(&kept.ring), v->fd, buf, len, off);
	return finish(1);
}

static ssize_t write_once(struct view *v, void *buf, size_t len, off_t off)
{
	int err = ring_of_thread();

	if (err)
		return err;
	io_uring_prep_write(io_uring_get_sqe(&kept.ring), v->fd, buf, len, off);
	return finish(1);
}

ssize_t uring_read(struct view *v, void *buf, size_t len, off_t off)
{
	return action_read_aligned(read_once, v, buf, len, off);
}

ssize_t uring_write(struct view *v, void *buf, size_t len, off_t off)
{
	return action_write_aligned(write_once, v, buf, len, off);
}

ssize_t uring_read_fixed(struct view *v, void *buf, size_t len, off_t off)
{
	ssize_t ret = ring_of_thread();

	if (ret)
		return ret;
	if (len > FIXED_BYTES)
		return -EMSGSIZE;
	io_uring_prep_read_fixed(io_uring_get_sqe(&kept.ring), v->fd, kept.fixed, len, off, 0);
	ret = finish(1);
	if (ret > 0)
		memcpy(buf, kept.fixed, ret);
	return ret;
}

ssize_t uring_write_fixed(struct view *v, void *buf, size_t len, off_t off)
{
	int err = ring_of_thread();

	if (err)
		return err;
	if (len > FIXED_BYTES)
		return -EMSGSIZE;
	memcpy(kept.fixed, buf, len);
	io_uring_prep_write_fixed(io_uring_get_sqe(&kept.ring), v->fd, kept.fixed, len, off, 0);
	return finish(1);
}

ssize_t uring_write_linked(struct view *v, void *buf, size_t len, off_t off)
{
	struct io_uring_sqe *sqe;
	size_t half = len / 2;
	int err = ring_of_thread();

	if (err)
		return err;
	sqe = io_uring_get_sqe(&kept.ring);
	io_uring_prep_write(sqe, v->fd, buf, half, off);
	sqe->flags |= IOSQE_IO_LINK;
	io_uring_prep_write(io_uring_get_sqe(&kept.ring), v->fd, (char *)buf + half, len - half,
			    off + half);
	return finish(2);
}

ssize_t uring_in_place(struct view *v, bool write, void *map, size_t map_len, void *buf,
		       size_t len, off_t off)
{
	struct iovec iov = { map, map_len };
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	ssize_t ret;

	ret = io_uring_queue_init(ENTRIES, &ring, 0);
	if (ret)
		return ret;
	ret = io_uring_register_buffers(&ring, &iov, 1);
	if (!ret) {
		sqe = io_uring_get_sqe(&ring);
		if (write)
			io_uring_prep_write_fixed(sqe, v->fd, buf, len, off, 0);
		else
			io_uring_prep_read_fixed(sqe, v->fd, buf, len, off, 0);
		ret = finish_on(&ring, 1);
	}
	io_uring_queue_exit(&ring);
	return ret;
}

#else /* !HAVE_LIBURING */

const char *uring_missing(void)
{
	return "built without liburing";
}

static ssize_t absent(struct view *v, void *buf, size_t len, off_t off)
{
	(void)v;
	(void)buf;
	(void)len;
	(void)off;
	return -ENOSYS;
}

ssize_t uring_read(struct view *v, void *buf, size_t len, off_t off)
{
	return absent(v, buf, len, off);
}

ssize_t uring_read_fixed(struct view *v, void *buf, size_t len, off_t off)
{
	return absent(v, buf, len, off);
}

ssize_t uring_write(struct view *v, void *buf, size_t len, off_t off)
{
	return absent(v, buf, len, off);
}

ssize_t uring_write_fixed(struct view *v, void *buf, size_t len, off_t off)
{
	return absent(v, buf, len, off);
}

ssize_t uring_write_linked(struct view *v, void *buf, size_t len, off_t off)
{
	return absent(v, buf, len, off);
}

ssize_t uring_in_place(struct view *v, bool write, void *map, size_t map_len, void *buf,
		       size_t len, off_t off)
{
	(void)write;
	(void)map;
	(void)map_len;
	return absent(v, buf, len, off);
}

#endif /* HAVE_LIBURING */
