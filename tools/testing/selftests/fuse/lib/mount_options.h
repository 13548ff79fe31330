/* SPDX-License-Identifier: GPL-2.0 */
/* What passthrough_mount was asked to do, and the little it must know of mounts. */
#ifndef FUSE_SELFTEST_MOUNT_OPTIONS_H
#define FUSE_SELFTEST_MOUNT_OPTIONS_H

#include <limits.h>

#include "server.h"

struct mount_options {
	struct server_options server;
	char backing[PATH_MAX];		/* absolute where it exists */
	char mountpoint[PATH_MAX];
	char data[512];			/* what server.mount_options points to */
	const char *stats;		/* file, NULL: stderr */
	bool foreground;
	bool auto_unmount;
	bool no_xattr;			/* answer that there are no extended attributes */
};

enum mount_options_result {
	MOUNT_OPTIONS_OK,
	MOUNT_OPTIONS_HELP,
	MOUNT_OPTIONS_WRONG,		/* @why says what, in one line */
};

enum mount_options_result mount_options_parse(struct mount_options *opt, int argc, char **argv,
					      char *why, size_t len);

/* Is a mount of file system type @type right at @path? */
bool mount_options_is_mounted(const char *path, const char *type);

/*
 * Start a process that lazily unmounts @path when the caller has died and the
 * mount has lost its server: 0 or -1 with errno.
 */
int mount_options_guard(const char *path);

#endif /* FUSE_SELFTEST_MOUNT_OPTIONS_H */
