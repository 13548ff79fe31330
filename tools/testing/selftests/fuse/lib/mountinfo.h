/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/self/mountinfo, as proc_pid_mountinfo(5) describes it. */
#ifndef FUSE_SELFTEST_MOUNTINFO_H
#define FUSE_SELFTEST_MOUNTINFO_H

#include <stdbool.h>

struct mount_entry {
	int id;
	unsigned int major;
	unsigned int minor;		/* of a FUSE mount: number of its connection */
	char point[256];
	char type[64];
};

/* Entry of the newest mount at or below directory @dir. Returns false if there is none. */
bool mountinfo_last_below(const char *dir, struct mount_entry *entry);

/*
 * Entry of the mount that descriptor @fd (O_PATH will do) was opened on, found by
 * its number, so that no request reaches the file system. Returns false if there
 * is none, or none any more.
 */
bool mountinfo_of(int fd, struct mount_entry *entry);

/* Is the file system of @entry served over /dev/fuse? */
bool mount_entry_is_fuse(const struct mount_entry *entry);

#endif /* FUSE_SELFTEST_MOUNTINFO_H */
