/* SPDX-License-Identifier: GPL-2.0 */
/* A file system of its own below a mount, to see who pins it. */
#ifndef FUSE_SELFTEST_TOWER_H
#define FUSE_SELFTEST_TOWER_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "suite_file.h"

struct tower {
	char below[PATH_MAX];
	char above[PATH_MAX];
	struct server *server;
};

/* A descriptor of a file of data on a file system of its own below, or -errno. */
static inline int make_tower_file(const struct sandbox *sb, struct tower *t)
{
	char path[PATH_MAX + 8];
	int fd;

	snprintf(t->below, sizeof(t->below), "%.4000s/tower-below", sb->dir);
	if (mkdir(t->below, 0700) || mount("tower", t->below, "tmpfs", 0, NULL))
		return -errno;
	snprintf(path, sizeof(path), "%s/file", t->below);
	/* Read-only, or the mount could not be made so. */
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || truncate(path, TESTFILE_SIZE))
		return -errno;
	return fd;
}

/* ... and its id with the sandbox's server, or -errno. */
static inline int32_t register_tower_file(struct sandbox *sb, struct tower *t)
{
	int fd = make_tower_file(sb, t);
	int32_t id;

	if (fd < 0)
		return fd;
	id = server_backing_open(sb->server, fd);
	close(fd);
	return id;
}

static inline bool can_unmount_below(const struct tower *t)
{
	return !umount2(t->below, 0);
}

static inline double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A worker of the kernel lets go of what io_uring had open: soon, not at once. */
static inline bool can_unmount_below_soon(const struct tower *t)
{
	const double end = seconds_now() + SERVER_WAIT_SECONDS;

	while (!can_unmount_below(t)) {
		if (errno != EBUSY || seconds_now() > end)
			return false;
		sched_yield();
	}
	return true;
}

#endif /* FUSE_SELFTEST_TOWER_H */
