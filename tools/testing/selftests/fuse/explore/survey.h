/* SPDX-License-Identifier: GPL-2.0 */
/* How soon something is found, and how small it gets: the same hunt from many seeds. */
#ifndef FUSE_EXPLORE_SURVEY_H
#define FUSE_EXPLORE_SURVEY_H

#include "options.h"

/*
 * Hunt o->survey times, each time from another seed, for o->seconds or o->histories
 * at most; shrink what is found, print a line about each and the medians. An exit
 * code: EXIT_FOUND if every hunt found something, EXIT_CLEAN if not.
 */
int survey(const struct options *o);

#endif /* FUSE_EXPLORE_SURVEY_H */
