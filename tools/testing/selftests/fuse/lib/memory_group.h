/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A control group (cgroups(7)) whose processes may have little memory, page cache
 * included: what they store to is written out and dropped again and again. Of
 * whichever version of cgroups the kernel has given its memory controller to.
 */
#ifndef FUSE_SELFTEST_MEMORY_GROUP_H
#define FUSE_SELFTEST_MEMORY_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sandbox.h"

struct memory_group {
	int dir;		/* of the group */
	bool v2;
	int keep;		/* it stays as long as somebody holds the other end open */
	pid_t keeper;		/* removes it */
};

/*
 * Make a group with a limit of @bytes. A child removes it when the caller does or
 * ends, however it ends. @why gets one line when the result is not SANDBOX_OK.
 */
enum sandbox_result memory_group_create(struct memory_group *g, const struct sandbox *sb,
					long bytes, char *why, size_t len);

/* Move the calling process into it. 0 or -errno. */
int memory_group_enter(const struct memory_group *g);

/* How often its limit was met, or -errno. */
long memory_group_hits(const struct memory_group *g);

/* Remove it; its processes must have ended. A zeroed one is fine. */
void memory_group_destroy(struct memory_group *g);

#endif /* FUSE_SELFTEST_MEMORY_GROUP_H */
