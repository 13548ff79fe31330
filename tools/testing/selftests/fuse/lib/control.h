/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A control is something done through a view that moves no bytes between the
 * caller and the file: truncation, holes, flushing, advice, flags. What it does
 * to the file is part of the table, so that an oracle can follow it.
 */
#ifndef FUSE_SELFTEST_CONTROL_H
#define FUSE_SELFTEST_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "action.h"
#include "view.h"

enum control_effect {
	CONTROL_KEEPS,		/* changes neither byte nor size nor times */
	CONTROL_RESERVES,	/* blocks; times may move */
	CONTROL_RESIZES,	/* the size becomes the offset asked for */
	CONTROL_ALLOCATES,	/* the size becomes at least the end of the range */
	CONTROL_ZEROES,		/* the range, as far as it is in the file, reads zero */
	CONTROL_ZEROES_ALLOCATES, /* both */
	CONTROL_FORGETS,	/* drops what a private mapping has copied */
	CONTROL_SETS_FLAG,	/* of the open file, fcntl(2) F_SETFL */
	CONTROL_CLEARS_FLAG,
};

/* What it does to dirty pages of its range. */
enum control_flush {
	CONTROL_FLUSHES_NOT,
	CONTROL_OWES,		/* times owed by stores are due, pages may stay dirty: MS_ASYNC */
	CONTROL_FLUSHES,
};

struct control {
	const char *name;
	unsigned int needs;	/* ACTION_ON_FD or ACTION_ON_MAP */
	enum control_effect effect;
	enum control_flush flush;
	int flag;		/* of CONTROL_SETS_FLAG and CONTROL_CLEARS_FLAG */
	/* 0 or -errno. Ranges of a mapping are whole pages within it. */
	int (*run)(struct view *v, const struct control *c, off_t off, size_t len);
};

/* Ends with a NULL name. */
extern const struct control controls[];

/* The control of this name, or NULL. */
const struct control *control_find(const char *name);

/*
 * Does @err say that kernel or file system lack the feature, so that nothing was
 * done? fallocate(2), madvise(2), fcntl(2)
 */
bool control_declined(const struct control *c, int err);

#endif /* FUSE_SELFTEST_CONTROL_H */
