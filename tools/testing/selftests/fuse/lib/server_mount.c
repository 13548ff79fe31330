// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "server_mount.h"

#define FUSECTL_DIR "/sys/fs/fuse/connections"
#define FUSECTL_MAGIC 0x65735543

int mount_server(struct server *srv, const char *mountpoint)
{
	const char *more = srv->opt.mount_options;
	char data[512];
	int len;

	if (!realpath(mountpoint, srv->mountpoint))
		return -errno;
	len = snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=0,group_id=0%s%s",
		       srv->device, more && *more ? "," : "", more ? more : "");
	if (len >= (int)sizeof(data))
		return -E2BIG;
	if (mount(srv->opt.mount_source ?: "fuse_selftest", srv->mountpoint,
		  srv->opt.mount_type ?: "fuse.fuse_selftest", srv->opt.mount_flags, data))
		return -errno;
	srv->mounted = true;
	return 0;
}

void unmount_server(struct server *srv)
{
	if (srv->mounted)
		umount2(srv->mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW);
	srv->mounted = false;
}

int mount_find_connection(struct server *srv)
{
	struct statx stx;

	if (statx(AT_FDCWD, srv->mountpoint, AT_STATX_DONT_SYNC, STATX_TYPE, &stx))
		return -errno;
	srv->connection = stx.stx_dev_minor;
	return 0;
}

bool mount_connection_ended(struct server *srv)
{
	struct pollfd device = { .fd = srv->device };

	if (atomic_load(&srv->ctl->state) == CONTROL_ENDED)
		return true;
	return srv->device >= 0 && poll(&device, 1, 0) == 1 && device.revents & POLLERR;
}

static int write_abort(unsigned int connection)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), FUSECTL_DIR "/%u/abort", connection);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, "1", 1) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static bool fusectl_is_mounted(void)
{
	struct statfs st;

	return !statfs(FUSECTL_DIR, &st) && st.f_type == FUSECTL_MAGIC;
}

int mount_abort(struct server *srv)
{
	if (!fusectl_is_mounted() && mount("fusectl", FUSECTL_DIR, "fusectl", 0, NULL))
		return -errno;
	return write_abort(srv->connection);
}

int server_abort(struct server *srv)
{
	return mount_abort(srv);
}
