/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An action moves bytes through a view: one way to write, or one way to read.
 * Tests and the explorer take them from one table, so that a new way of
 * reaching a file is one entry and every test covers it.
 */
#ifndef FUSE_SELFTEST_ACTION_H
#define FUSE_SELFTEST_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "view.h"

enum action_kind {
	ACTION_READ,
	ACTION_WRITE,
};

/* What an action asks of its view, besides being open. */
#define ACTION_ON_FD	(1U << 0)	/* a descriptor */
#define ACTION_ON_MAP	(1U << 1)	/* a mapping */
#define ACTION_AT_EOF	(1U << 2)	/* bytes land at end of file, wherever it is asked for */
#define ACTION_SPLICES	(1U << 3)	/* handed pages, not bytes: splice(2) and kin */
#define ACTION_DIRECT	(1U << 4)	/* sees to the alignment that O_DIRECT asks for */
#define ACTION_ASYNC	(1U << 5)	/* the kernel is told where to report, and does not wait */

/* O_DIRECT: the strictest alignment in practice, open(2); bytes */
#define DIRECT_ALIGN	4096

struct action {
	const char *name;	/* as in reports and case names */
	enum action_kind kind;
	unsigned int needs;
	/*
	 * Move @len bytes at file offset @off between @buf and the file. Bytes
	 * moved (short at end of file) or -errno; -EFAULT for SIGBUS on a map.
	 */
	ssize_t (*run)(struct view *v, void *buf, size_t len, off_t off);
	/* Why the kernel or this build cannot do it, or NULL. No function: anyone can. */
	const char *(*missing)(void);
};

/* Ends with a NULL name. */
extern const struct action actions[];

/* The action of this name, or NULL. */
const struct action *action_find(const char *name);

/*
 * May @a be run on @v for this range of a file of @size bytes? False where the
 * combination means nothing: a store past end of file, an unaligned O_DIRECT
 * write, an append elsewhere than at the end.
 */
bool action_fits(const struct action *a, const struct view_spec *spec,
		 off_t off, size_t len, off_t size);

/* Why @a cannot be done here: names the feature that is absent. NULL if it can. */
const char *action_missing(const struct action *a);

/*
 * Did this result of a reader say nothing about the bytes? RWF_NOWAIT may
 * decline with EAGAIN or EOPNOTSUPP (preadv2(2)).
 */
bool action_declined(const struct action *a, ssize_t result);

#endif /* FUSE_SELFTEST_ACTION_H */
