/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histories run in a child process that may hang, crash, or be killed by what it
 * found; the caller only ever sees an outcome.
 */
#ifndef FUSE_EXPLORE_ISOLATE_H
#define FUSE_EXPLORE_ISOLATE_H

#include "runner.h"

/* Workers at the same time; the guardian watches over no more. */
#define MAX_JOBS	16

struct outcome {
	struct finding finding;
	uint64_t seed;			/* of the history in which it ended */
	size_t step;			/* in that history: where it ended */
	struct runner_counts counts;
	double took;			/* seconds */
	enum server_abi abi;		/* spoken with this kernel */
	char why[256];			/* of FOUND_TROUBLE and FOUND_UNSUPPORTED */
};

/*
 * Run @t in a process and a sandbox of its own. @loud: the child prints a full
 * report, with @command as the way to run it again.
 */
void isolate_trace(const struct trace *t, const struct runner_options *opt,
		   const char *command, bool loud, struct outcome *out);

struct campaign {
	const struct vocabulary *voc;
	uint64_t seed;			/* the first; others follow */
	uint64_t histories;		/* 0: until the time is over */
	unsigned int steps;		/* of each */
	double seconds;			/* 0: no limit */
	unsigned int jobs;		/* workers, each on a processor; 0: one, on any */
	unsigned int actors;		/* more than 0: so many at once, in rounds of their own */
	bool quiet;			/* no report of what was found */
	bool progress;			/* a line now and then, on stderr */
	const char *command;		/* that runs it again */
};

/*
 * Run histories, each worker in a process and a sandbox of its own, until something
 * is found or it is over. The finding is that of the first history that finds
 * something, however many workers there are.
 */
void isolate_campaign(const struct campaign *c, const struct runner_options *opt,
		      struct outcome *out);

/* As many workers as keep the processors busy that the caller may use. */
unsigned int isolate_processors(void);

#endif /* FUSE_EXPLORE_ISOLATE_H */
