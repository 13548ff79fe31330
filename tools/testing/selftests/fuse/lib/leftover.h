/* SPDX-License-Identifier: GPL-2.0 */
/* What a program that used sandboxes should not have left behind, and did. */
#ifndef FUSE_SELFTEST_LEFTOVER_H
#define FUSE_SELFTEST_LEFTOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* How soon after a death all has to be gone */
#define LEFTOVER_SECONDS	2

/*
 * Become the process to which all that @program leaves running is given: must be
 * called before it is started. 0 or -errno.
 */
int leftover_adopt(void);

/*
 * Wait until nothing is left of @program, a dead descendant of the caller: no
 * process it started however deep (and so no private mount namespace of it), no
 * loop device, no mount or directory of the host. True if something still is
 * after LEFTOVER_SECONDS; then @what, one line, says what.
 */
bool leftover_find(pid_t program, char *what, size_t len);

/*
 * Take it down: abort the FUSE connections that the processes left are stuck on,
 * kill those, wait for them. Leaves the caller in a mount namespace of its own.
 */
void leftover_abort(void);

#endif /* FUSE_SELFTEST_LEFTOVER_H */
