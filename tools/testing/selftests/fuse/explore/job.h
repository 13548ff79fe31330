/* SPDX-License-Identifier: GPL-2.0 */
/* What isolate.c, which starts workers and watches them, says to job.c, which they run. */
#ifndef FUSE_EXPLORE_JOB_H
#define FUSE_EXPLORE_JOB_H

#include <stdatomic.h>

#include "isolate.h"

/* One of each worker, shared with it. */
struct board {
	struct outcome out;
	atomic_ulong beats;	/* grows with every step */
	atomic_bool ended;	/* the outcome is complete */
};

/* Shared by the workers of a campaign, who take histories in turn. */
struct progress {
	atomic_ulong taken;	/* histories begun */
	atomic_bool over;	/* something was found: begin no other */
};

/* What a worker is to do: a trace, or a share of a campaign. */
struct job {
	const struct trace *trace;
	const struct campaign *campaign;
	const struct runner_options *opt;
	const char *command;
	bool loud;
	double end;			/* of a campaign, as job_now(); 0: never */
	struct progress *progress;	/* of a campaign */
	struct board *board;
};

/* Seconds of a clock that only moves forward. */
double job_now(void);

/* In a process of its own: make the sandbox, do it, fill in the board. */
void job_run(const struct job *job);

#endif /* FUSE_EXPLORE_JOB_H */
