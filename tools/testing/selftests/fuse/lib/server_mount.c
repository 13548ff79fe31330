// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mountinfo.h"
#include "server_mount.h"

/* fsopen(2) and its relatives; C libraries before 2.36 know nothing of them. */
#define FSOPEN_CLOSE_ON_EXEC	1U
#define FSMOUNT_CLOSE_ON_EXEC	1U
#define FSCONFIG_DO_CREATE	6U	/* FSCONFIG_CMD_CREATE */

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

bool mount_connection_ended(struct server *srv)
{
	struct pollfd device = { .fd = srv->device };

	if (atomic_load(&srv->ctl->state) == CONTROL_ENDED)
		return true;
	return srv->device >= 0 && poll(&device, 1, 0) == 1 && device.revents & POLLERR;
}

/*
 * fusectl without a place in the tree: nothing is mounted for it, and it may be
 * mounted anywhere or nowhere.
 */
static int open_fusectl(void)
{
	int fs = syscall(SYS_fsopen, "fusectl", FSOPEN_CLOSE_ON_EXEC);
	int fd = -1;

	if (fs >= 0 && !syscall(SYS_fsconfig, fs, FSCONFIG_DO_CREATE, NULL, NULL, 0))
		fd = syscall(SYS_fsmount, fs, FSMOUNT_CLOSE_ON_EXEC, 0);
	if (fs >= 0)
		close(fs);
	return fd;
}

/*
 * The number of a connection is used again as soon as it has ended, but an open
 * file of fusectl means the connection it was opened for, dead or alive. So it
 * is opened while the mount is certainly there; later it might be somebody else's.
 */
static void open_abort(struct server *srv)
{
	int fusectl = open_fusectl();
	char path[32];

	if (fusectl < 0)
		return;
	snprintf(path, sizeof(path), "%u/abort", srv->connection);
	srv->abort = openat(fusectl, path, O_WRONLY | O_CLOEXEC);
	close(fusectl);
}

int mount_find_connection(struct server *srv)
{
	int root = open(srv->mountpoint, O_PATH | O_CLOEXEC);
	struct mount_entry mount;
	bool found;

	if (root < 0)
		return -errno;
	found = mountinfo_of(root, &mount) && mount_entry_is_fuse(&mount);
	close(root);
	if (!found)
		return -ENOTCONN;
	srv->connection = mount.minor;
	open_abort(srv);
	return 0;
}

int mount_abort(struct server *srv)
{
	if (srv->abort < 0)
		return -EOPNOTSUPP;
	return write(srv->abort, "1", 1) < 0 ? -errno : 0;
}

int server_abort(struct server *srv)
{
	return mount_abort(srv);
}
