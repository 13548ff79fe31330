/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vocabulary of histories: the library's tables of actions and controls, and
 * what only a history can do: open, close, fork, look at attributes.
 */
#ifndef FUSE_EXPLORE_VERB_H
#define FUSE_EXPLORE_VERB_H

#include "action.h"
#include "control.h"

enum verb_kind {
	VERB_ACTION,		/* a row of actions[] */
	VERB_CONTROL,		/* a row of controls[] */
	VERB_OPEN,
	VERB_CLOSE,		/* and unmap */
	VERB_CLOSE_FD,		/* under a mapping that stays */
	VERB_FORK,		/* the child, from what the test has open */
	VERB_END,		/* the child */
	VERB_STAT,		/* fstat(2), compared with the backing file's */
	VERB_SEEK_END,
	VERB_SET_TIMES,		/* to fixed old values */
	VERB_INVALIDATE,	/* the server sends FUSE_NOTIFY_INVAL_INODE */
	VERB_STORE_CACHE,	/* ... FUSE_NOTIFY_STORE */
	VERB_DROP_CACHES,	/* of the whole machine */
	VERB_CHECK,		/* the whole file in every view */
};

/* The words that follow a verb in a trace. */
#define VERB_HAS_VIEW	(1U << 0)
#define VERB_HAS_OFF	(1U << 1)
#define VERB_HAS_LEN	(1U << 2)
#define VERB_HAS_RANGE	(VERB_HAS_OFF | VERB_HAS_LEN)

struct verb {
	const char *name;
	enum verb_kind kind;
	unsigned int args;
	unsigned int needs;		/* ACTION_ON_FD, ACTION_ON_MAP: one of them */
	unsigned int weight;		/* how often it is drawn, relative to the others */
	const struct action *action;
	const struct control *control;
};

#define MAX_VERBS	96
#define MAX_WEIGHT	1000000

struct vocabulary {
	struct verb verbs[MAX_VERBS];	/* ends with a NULL name */
	unsigned int count;
};

/* All verbs with their usual weights. 0, or -E2BIG if the tables outgrew MAX_VERBS. */
int vocabulary_init(struct vocabulary *voc);

/* The verb of this name, or NULL. */
const struct verb *verb_find(const struct vocabulary *voc, const char *name);

/*
 * "store=10,punch-hole=0": change weights; "all=0" changes all of them. 0, or
 * -EINVAL with one line in @why.
 */
int vocabulary_set_weights(struct vocabulary *voc, const char *text, char *why, size_t len);

/* Print verbs, weights, views and actors. */
void vocabulary_print(const struct vocabulary *voc);

#endif /* FUSE_EXPLORE_VERB_H */
