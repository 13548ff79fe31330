/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUSE_EXPLORE_OPTIONS_H
#define FUSE_EXPLORE_OPTIONS_H

#include "runner.h"

/* Exit codes, as --help says. */
enum explore_exit {
	EXIT_CLEAN = 0,
	EXIT_FOUND = 1,
	EXIT_USAGE = 2,		/* wrong options, a malformed trace, an unusable directory */
	EXIT_TROUBLE = 3,	/* the machine or the harness */
	EXIT_NOTHING = 4,	/* a feature is absent: nothing could run */
};

struct options {
	struct vocabulary voc;
	struct runner_options runner;
	uint64_t seed;
	uint64_t histories;	/* 0: as many as --time allows */
	unsigned int ops;
	double seconds;		/* 0: no limit */
	const char *record, *replay, *output;
	unsigned int jobs;	/* workers at once */
	unsigned int survey;	/* hunts; 0: none */
	unsigned int concurrent;
	bool list, quiet, keep;	/* keep: do not shrink */
};

/*
 * Parse the command line. -1 to go on, else the code to exit with; everything to
 * be said has been said then.
 */
int options_parse(struct options *o, int argc, char **argv);

#endif /* FUSE_EXPLORE_OPTIONS_H */
