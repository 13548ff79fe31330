// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#include "action_ways.h"

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

	return result(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

ssize_t process_vm_write(struct view *v, void *buf, size_t len, off_t off)
{
	struct iovec local = { buf, len }, remote = { address(v, off), len };

	return result(process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
}

ssize_t proc_mem_read(struct view *v, void *buf, size_t len, off_t off)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = result(pread(fd, buf, len, (uintptr_t)address(v, off)));
	close(fd);
	return ret;
}

ssize_t proc_mem_write(struct view *v, void *buf, size_t len, off_t off)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = result(pwrite(fd, buf, len, (uintptr_t)address(v, off)));
	close(fd);
	return ret;
}
