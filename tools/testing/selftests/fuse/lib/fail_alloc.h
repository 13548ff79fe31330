/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that the kernel makes for the calling thread fail when it is told so:
 * Documentation/fault-injection/fault-injection.rst, failslab and fail-nth. Nobody
 * else's do, the server's thread included.
 */
#ifndef FUSE_SELFTEST_FAIL_ALLOC_H
#define FUSE_SELFTEST_FAIL_ALLOC_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

struct fail_alloc {
	char debugfs[PATH_MAX];		/* mounted in the sandbox; empty: not set up */
	char cache[64];			/* slab cache whose allocations fail, or empty */
	char wait_setting;		/* what failslab/ignore-gfp-wait was: Y or N */
	int verbose_setting;		/* ... and failslab/verbose */
	int nth;			/* /proc/thread-self/fail-nth */
};

/*
 * Prepare the kernel to fail allocations of the calling thread, also those that may
 * wait; it says nothing of each in its log. @why (of @len bytes) gets one line when
 * the result is not SANDBOX_OK. Undone by fail_alloc_destroy(); of a process that is
 * killed only these two settings of failslab stay, and do nothing by themselves.
 */
enum sandbox_result fail_alloc_create(struct fail_alloc *f, const struct sandbox *sb,
				      char *why, size_t len);

/* A zeroed one is fine. */
void fail_alloc_destroy(struct fail_alloc *f);

/* From here on allocation number @n, 1 being the next one, fails once. 0 or -errno. */
int fail_alloc_nth(const struct fail_alloc *f, unsigned int n);

/* No more. Has it failed, or were there fewer? */
bool fail_alloc_nth_end(const struct fail_alloc *f);

/*
 * From here on every allocation from slab cache @name fails (/sys/kernel/slab/NAME).
 * SANDBOX_UNSUPPORTED where the kernel does not keep that cache apart.
 */
enum sandbox_result fail_alloc_from(struct fail_alloc *f, const char *name, char *why,
				    size_t len);

/* No more. How many have failed. */
unsigned int fail_alloc_from_end(struct fail_alloc *f);

#endif /* FUSE_SELFTEST_FAIL_ALLOC_H */
