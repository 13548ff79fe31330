/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules that measured mainline kernels are known to break. A test asserts the
 * right rule; where it fails for a reason listed here it is an expected failure
 * (XFAIL), unless FUSE_STRICT is set. Nothing is listed without a measured
 * kernel and a reference.
 */
#ifndef FUSE_SELFTEST_DEVIATION_H
#define FUSE_SELFTEST_DEVIATION_H

#include <stdbool.h>

struct deviation {
	const char *id;
	const char *what;	/* for a user, one line */
	const char *kernels;	/* where it was measured, oldest first: "6.12, 6.18" */
	const char *reference;
};

/* Ends with a NULL id. */
extern const struct deviation deviations[];

/* The deviation of this id, or NULL. */
const struct deviation *deviation_find(const char *id);

/* Is the running kernel older than every one @d was measured on? Then it owes no deviation. */
bool deviation_is_newer(const struct deviation *d);

/* Is FUSE_STRICT set (and not "0")? Then deviations are failures. */
bool deviation_strict(void);

#endif /* FUSE_SELFTEST_DEVIATION_H */
