// SPDX-License-Identifier: GPL-2.0
/*
 * The receive loop. Counting, withholding and error injection happen on the
 * wire, so that they work for every opcode, also those that libfuse does not
 * know.
 */
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server_internal.h"

/* The largest request: header, a WRITE's arguments and data; 64 KiB pages round up. */
#define BUFFER_SIZE (SERVER_MAX_WRITE + 0x10000U)
/* One to receive and one to answer READ per thread, besides the withheld ones. */
#define BUFFERS_PER_THREAD 2

/* Enough for libfuse's bookkeeping of every request that can be in flight. */
#define HEAP_RESERVE 0x100000U

/*
 * libfuse allocates a little for each request. Give the heap its size now and
 * keep it: growing or trimming it later takes the address space lock, which a
 * tester's thread may hold for writing behind a reader that waits for us.
 */
static void preheat(void)
{
	char *reserve = malloc(HEAP_RESERVE);

	if (reserve)
		explicit_bzero(reserve, HEAP_RESERVE);
	free(reserve);
}

int serving_prepare(struct server *srv)
{
	/* HEAP_RESERVE must come from the heap, not from a mapping, and stay there. */
	mallopt(M_MMAP_THRESHOLD, 2 * HEAP_RESERVE);
	mallopt(M_TRIM_THRESHOLD, 64 * HEAP_RESERVE);
	return buffer_pool_create(&srv->buffers,
				  BUFFERS_PER_THREAD * srv->threads + SERVER_WITHHELD_MAX,
				  BUFFER_SIZE);
}

static void refuse(struct server *srv, const struct fuse_in_header *in, int error)
{
	struct fuse_out_header out = {
		.len = sizeof(out),
		.error = -error,
		.unique = in->unique,
	};

	/* It fails with ENOENT if the caller was interrupted: nobody waits then. */
	if (write(srv->device, &out, sizeof(out)) < 0)
		return;
}

/* Returns the buffer if it is free again. */
static struct buffer *dispatch(struct server *srv, struct buffer *buf)
{
	const struct fuse_in_header *in = (const void *)buf->data;
	uint32_t slot = control_slot(in->opcode);
	int error;

	if (in->opcode == FUSE_INIT)
		init_request(srv, in);
	atomic_fetch_add(&srv->ctl->seen[slot], 1);

	error = control_take_failure(srv->ctl, in->opcode);
	if (error)
		refuse(srv, in, error);
	else if (withhold_request(srv, slot, buf))
		buf = NULL;
	else if (!withhold_reply(srv, slot, buf))
		session_process(srv, buf);

	atomic_fetch_add(&srv->ctl->done[slot], 1);
	control_announce(srv->ctl);
	return buf;
}

/* 1: a request is in @buf, 0: none after all, -errno: the connection has ended */
static int receive(struct server *srv, struct buffer *buf)
{
	ssize_t size = read(srv->device, buf->data, BUFFER_SIZE);

	if (size >= (ssize_t)sizeof(struct fuse_in_header)) {
		buf->size = size;
		return 1;
	}
	/* ENOENT: interrupted before it was read. EAGAIN: another thread took it. */
	if (size >= 0 || errno == ENOENT || errno == EINTR || errno == EAGAIN)
		return 0;
	return -errno;
}

static bool was_stopped(struct server *srv)
{
	eventfd_t ignored;

	eventfd_read(srv->wake, &ignored);
	if (!atomic_load(&srv->ctl->stopping))
		return false;
	/* for the other threads */
	eventfd_write(srv->wake, 1);
	return true;
}

/*
 * Every thread waits for the device and for us. EPOLLEXCLUSIVE wakes one of them
 * for a request, where poll(2) would wake them all.
 */
static int watch(struct server *srv)
{
	struct epoll_event device = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = srv->device };
	struct epoll_event wake = { .events = EPOLLIN, .data.fd = srv->wake };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		return -errno;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, srv->device, &device) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, srv->wake, &wake)) {
		int error = errno;

		close(epoll);
		return -error;
	}
	return epoll;
}

/* Serve what has come in until there is no more: 0, or -errno at the end of it all. */
static int drain(struct server *srv, struct buffer **buf)
{
	int ret;

	do {
		if (!*buf)
			*buf = buffer_take(&srv->buffers);
		ret = receive(srv, *buf);
		if (ret > 0)
			*buf = dispatch(srv, *buf);
	} while (ret > 0);
	return ret;
}

static void serve(struct server *srv, int epoll)
{
	struct buffer *buf = NULL;
	struct epoll_event event;

	while (!drain(srv, &buf)) {
		if (epoll_wait(epoll, &event, 1, -1) != 1 || event.data.fd != srv->wake)
			continue;
		if (was_stopped(srv))
			break;
		withhold_finish_released(srv);
	}
	if (buf)
		buffer_put(&srv->buffers, buf);
}

void serving_run(struct server *srv)
{
	int epoll;

	/* A umask of its own: that of the caller of each request. */
	unshare(CLONE_FS);
	umask(0);
	preheat();
	epoll = watch(srv);
	if (epoll >= 0) {
		serve(srv, epoll);
		close(epoll);
	}
	eventfd_write(srv->ended, 1);
	control_set_state(srv->ctl, CONTROL_ENDED);
}

void serving_stop(struct server *srv)
{
	atomic_store(&srv->ctl->stopping, 1);
	eventfd_write(srv->wake, 1);
}
