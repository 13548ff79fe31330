// SPDX-License-Identifier: GPL-2.0
/*
 * The receive loop. Counting, withholding and error injection happen here, on
 * the wire, so that they work for every opcode, also those that libfuse does
 * not know.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server_internal.h"

/* The largest request: header, a WRITE's arguments and data; 64 KiB pages round up. */
#define BUFFER_SIZE (SERVER_MAX_WRITE + 0x10000U)
/* One to receive and one to answer READ per thread, and some to hold back. */
#define BUFFERS_HELD 4

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
	return buffer_pool_create(&srv->buffers, 2 * srv->threads + BUFFERS_HELD, BUFFER_SIZE);
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

static bool withhold(struct server *srv, uint32_t slot, struct buffer *buf)
{
	unsigned int armed = HOLD_ARMED;

	if (!atomic_compare_exchange_strong(&srv->ctl->hold[slot], &armed, HOLD_NONE))
		return false;
	srv->held[slot] = buf;
	atomic_store(&srv->ctl->hold[slot], HOLD_HELD);
	return true;
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
	else if (withhold(srv, slot, buf))
		buf = NULL;
	else
		session_process(srv, buf);

	atomic_fetch_add(&srv->ctl->done[slot], 1);
	control_announce(srv->ctl);
	return buf;
}

static void process_released(struct server *srv)
{
	for (uint32_t slot = 0; slot < CONTROL_OPCODES; slot++) {
		unsigned int released = HOLD_RELEASED;
		struct buffer *buf = srv->held[slot];

		if (!atomic_compare_exchange_strong(&srv->ctl->hold[slot], &released, HOLD_NONE))
			continue;
		session_process(srv, buf);
		buffer_put(&srv->buffers, buf);
		control_announce(srv->ctl);
	}
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

static void serve(struct server *srv)
{
	struct pollfd ready[] = {
		{ .fd = srv->device, .events = POLLIN },
		{ .fd = srv->wake, .events = POLLIN },
	};
	struct buffer *buf = buffer_take(&srv->buffers);
	int ret = 0;

	while (ret >= 0) {
		if (!buf)
			buf = buffer_take(&srv->buffers);
		/* Without a buffer only released requests can be served. */
		ready[0].fd = buf ? srv->device : -1;
		if (poll(ready, 2, -1) < 0)
			continue;
		if (ready[1].revents) {
			if (was_stopped(srv))
				break;
			process_released(srv);
		}
		if (!buf || !ready[0].revents)
			continue;
		ret = receive(srv, buf);
		if (ret > 0)
			buf = dispatch(srv, buf);
	}
	if (buf)
		buffer_put(&srv->buffers, buf);
}

void serving_run(struct server *srv)
{
	/* A umask of its own: that of the caller of each request. */
	unshare(CLONE_FS);
	umask(0);
	preheat();
	serve(srv);
	control_set_state(srv->ctl, CONTROL_ENDED);
}

void serving_stop(struct server *srv)
{
	atomic_store(&srv->ctl->stopping, 1);
	eventfd_write(srv->wake, 1);
}
