/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a test runs: a private mount namespace, a backing directory on a chosen
 * file system, a FUSE mount of it, and a guardian that removes all of it when
 * the tester dies, however it dies.
 *
 * The danger: a process killed with a FUSE file open waits in FLUSH for its own
 * dead server thread, for ever. The guardian is a process of its own session
 * that waits for the end of the tester, aborts the connection through fusectl
 * and detaches the mounts.
 *
 * Nothing outside the namespace is created: no directory, no file. Loop devices
 * are set to clear themselves with their last user.
 */
#ifndef FUSE_SELFTEST_SANDBOX_H
#define FUSE_SELFTEST_SANDBOX_H

#include <limits.h>
#include <stdbool.h>

#include "server.h"

enum sandbox_result {
	SANDBOX_OK,
	SANDBOX_UNSUPPORTED,	/* a named feature is provably absent: SKIP */
	SANDBOX_BROKEN,		/* machine or harness trouble: an error */
};

/* The backing file systems there are code for, NULL-terminated: "tmpfs", "ext4", ... */
extern const char *const sandbox_filesystems[];

struct sandbox_options {
	const char *fs;			/* one of sandbox_filesystems */
	struct server_options server;
	bool unmounted;			/* backing directory only, no FUSE mount */
};

struct sandbox {
	const char *fs;
	pid_t owner;			/* who created it; only this process can take it down */
	char dir[PATH_MAX];		/* of its own, on a private tmpfs; room for more mounts */
	char backing[PATH_MAX];		/* directory of this sandbox on the backing fs */
	char mnt[PATH_MAX];		/* FUSE mount of it */
	struct server *server;
	char why[256];			/* why the last call did not return SANDBOX_OK, one line */
	struct ward *guardian;
};

/*
 * Could sandbox_enter() work here? Changes nothing. @why (of @len bytes) gets one
 * line when the result is not SANDBOX_OK: not root, no /dev/fuse, ...
 */
enum sandbox_result sandbox_possible(char *why, size_t len);

/*
 * Once in a program, before the first sandbox_create(): become root of a private
 * mount namespace with a private tmpfs to work in. @why as for sandbox_possible().
 */
enum sandbox_result sandbox_enter(char *why, size_t len);

/*
 * Make backing directory, guardian, mount and server. A backing file system is
 * made once in a program and shared by its sandboxes, each in a directory of its
 * own. On failure nothing is left and sb->why is set.
 */
enum sandbox_result sandbox_create(struct sandbox *sb, const struct sandbox_options *opt);

/*
 * Take all of it down. Idempotent; a zeroed @sb is fine. Without effect in a
 * process other than the one that created it, such as a forked child that comes
 * here by way of a failed assertion and the fixture's teardown.
 */
void sandbox_destroy(struct sandbox *sb);

/* Stop and start the server again on the same backing directory, e.g. with other options. */
enum sandbox_result sandbox_remount(struct sandbox *sb, const struct server_options *opt);

#endif /* FUSE_SELFTEST_SANDBOX_H */
