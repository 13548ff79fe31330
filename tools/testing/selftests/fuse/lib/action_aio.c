// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "action_ways.h"
#include "process.h"

/* The context of this thread; a forked child does not inherit it (io_setup(2)). */
static __thread struct {
	pid_t owner;
	aio_context_t ctx;
} kept;

static int context(aio_context_t *ctx)
{
	if (kept.owner != process_id()) {
		kept.ctx = 0;
		if (syscall(__NR_io_setup, 1, &kept.ctx))
			return -errno;
		kept.owner = process_id();
	}
	*ctx = kept.ctx;
	return 0;
}

const char *aio_missing(void)
{
	aio_context_t ctx;

	return context(&ctx) == -ENOSYS ? "no io_submit(2) in this kernel: CONFIG_AIO" : NULL;
}

static ssize_t submit(unsigned int opcode, int rwf, int fd, void *buf, size_t len,
		      off_t off)
{
	struct iocb cb = {
		.aio_lio_opcode = opcode,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = len,
		.aio_offset = off,
	};
	struct iocb *list = &cb;
	struct io_event event;
	aio_context_t ctx;
	int err;

	/* Of a type of its own, for the kernel's checkers. */
	memcpy(&cb.aio_rw_flags, &rwf, sizeof(rwf));
	err = context(&ctx);
	if (err)
		return err;
	if (syscall(__NR_io_submit, ctx, 1, &list) != 1)
		return -errno;
	while (syscall(__NR_io_getevents, ctx, 1, 1, &event, NULL) != 1)
		if (errno != EINTR)
			return -errno;
	return event.res;
}

static ssize_t submit_read(struct view *v, void *buf, size_t len, off_t off)
{
	return submit(IOCB_CMD_PREAD, 0, v->fd, buf, len, off);
}

static ssize_t submit_write(struct view *v, void *buf, size_t len, off_t off)
{
	return submit(IOCB_CMD_PWRITE, 0, v->fd, buf, len, off);
}

ssize_t aio_read(struct view *v, void *buf, size_t len, off_t off)
{
	return action_read_aligned(submit_read, v, buf, len, off);
}

ssize_t aio_write(struct view *v, void *buf, size_t len, off_t off)
{
	return action_write_aligned(submit_write, v, buf, len, off);
}

ssize_t aio_write_flags(int fd, void *buf, size_t len, int rwf)
{
	return submit(IOCB_CMD_PWRITE, rwf, fd, buf, len, 0);
}
