/* SPDX-License-Identifier: GPL-2.0 */
/* The traces kept in traces/, each named after what it guards, carried by the program. */
#ifndef FUSE_EXPLORE_TRACES_H
#define FUSE_EXPLORE_TRACES_H

#include <stddef.h>

struct kept_trace {
	const char *name;
	const char *deviation;	/* the known one it shows, or NULL: nothing must be found */
	const char *text, *end;
};

/* Ends with a NULL name. */
extern const struct kept_trace kept_traces[];

#endif /* FUSE_EXPLORE_TRACES_H */
