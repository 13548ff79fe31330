// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#include "action_ways.h"
#include "process.h"

static ssize_t result(ssize_t ret)
{
	return ret < 0 ? -errno : ret;
}

static char *address(const struct view *v, off_t off)
{
	return v->map + (off - v->map_off);
}

ssize_t process_vm_read(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec local = { buf, len }, remote = { address(v, off), len };

	return result(process_vm_readv(process_id(), &local, 1, &remote, 1, 0));
}

ssize_t process_vm_write(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec local = { buf, len }, remote = { address(v, off), len };

	return result(process_vm_writev(process_id(), &local, 1, &remote, 1, 0));
}

/* The memory of this process, kept open; a forked child opens its own. */
static int own_memory(void)
{
	static __thread struct {
		pid_t owner;
		int fd;
	} kept;

	if (kept.owner != process_id()) {
		kept.fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
		if (kept.fd < 0)
			return -errno;
		kept.owner = process_id();
	}
	return kept.fd;
}

ssize_t proc_mem_read(struct view *v, void *buf, size_t len, off_t off)
{
	int fd = own_memory();

	return fd < 0 ? fd : result(pread(fd, buf, len, (uintptr_t)address(v, off)));
}

ssize_t proc_mem_write(struct view *v, void *buf, size_t len, off_t off)
{
	int fd = own_memory();

	return fd < 0 ? fd : result(pwrite(fd, buf, len, (uintptr_t)address(v, off)));
}
