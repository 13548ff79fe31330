// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest.h"
#include "namespace.h"

/* Set once before the harness runs and inherited by every process of the program. */
static struct {
	char base[32];
	char fusectl[64];
	pid_t program;
	atomic_uint *unique;		/* shared memory */
} space;

static const char *const base_candidates[] = { "/mnt", "/media", "/srv", "/tmp" };

/* 1: empty, 0: not empty, < 0: not there */
static int directory_emptiness(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int entries = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		entries += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return !entries;
}

/* An empty directory is best: what lies below the others is hidden from the program. */
static const char *choose_base(void)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(base_candidates); i++) {
		int empty = directory_emptiness(base_candidates[i]);

		if (empty > 0)
			return base_candidates[i];
		if (!empty && !found)
			found = base_candidates[i];
	}
	return found;
}

static int complain(char *why, size_t len, const char *what)
{
	int err = -errno;

	snprintf(why, len, "%s: %s", what, strerror(-err));
	return err;
}

static int mount_private(const char *base, char *why, size_t len)
{
	if (unshare(CLONE_NEWNS))
		return complain(why, len, "unshare(CLONE_NEWNS)");
	/* A slave: what others unmount meanwhile is not kept mounted here. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return complain(why, len, "making the mount namespace private");
	/* Backing images are sparse; the limit is for what a broken test might write. */
	if (mount(NAMESPACE_TAG, base, "tmpfs", 0, "size=75%,mode=0755"))
		return complain(why, len, "mounting a private tmpfs");
	if (mkdir(space.fusectl, 0755) ||
	    mount(NAMESPACE_TAG, space.fusectl, "fusectl", 0, NULL))
		return complain(why, len, "mounting fusectl");
	return 0;
}

int namespace_enter(char *why, size_t len)
{
	const char *base = choose_base();
	int err;

	if (!base) {
		snprintf(why, len, "none of /mnt, /media, /srv, /tmp exists; make one of them");
		return -ENOENT;
	}
	snprintf(space.base, sizeof(space.base), "%s", base);
	snprintf(space.fusectl, sizeof(space.fusectl), "%s/fusectl", base);
	space.unique = mmap(NULL, sizeof(*space.unique), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (space.unique == MAP_FAILED)
		return complain(why, len, "shared memory");
	err = mount_private(base, why, len);
	if (!err)
		space.program = getpid();
	return err;
}

const char *namespace_base(void)
{
	return space.program ? space.base : NULL;
}

const char *namespace_fusectl(void)
{
	return space.program ? space.fusectl : NULL;
}

pid_t namespace_program(void)
{
	return space.program;
}

unsigned int namespace_unique(void)
{
	return atomic_fetch_add(space.unique, 1);
}
