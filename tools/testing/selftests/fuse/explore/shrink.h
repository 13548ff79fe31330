/* SPDX-License-Identifier: GPL-2.0 */
/* From a history that finds something to the least that still finds it. */
#ifndef FUSE_EXPLORE_SHRINK_H
#define FUSE_EXPLORE_SHRINK_H

#include "isolate.h"

struct shrink {
	const struct vocabulary *voc;
	const struct runner_options *opt;
	double seconds;			/* give up making it smaller after that */
	bool progress;
	/* filled in */
	struct outcome outcome;		/* of the shrunk trace */
	unsigned int runs;		/* candidates tried */
	double took;
	unsigned int again, found;	/* of @again runs of the result, @found found it */
};

/*
 * Shrink @t in place. It must have found @outcome when it was run before; if it
 * does not find it again in several runs, @t is left as it is and s->found is 0.
 * 0 or -ENOMEM.
 */
int shrink(struct shrink *s, struct trace *t, const struct outcome *outcome);

#endif /* FUSE_EXPLORE_SHRINK_H */
