/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that read and write the same words at the same time, through different views. */
#ifndef FUSE_EXPLORE_CONCURRENT_H
#define FUSE_EXPLORE_CONCURRENT_H

#include "registers.h"
#include "runner.h"

struct concurrent;

/*
 * Fork @actors processes that open their views of the file that runner_begin()
 * made. NULL with one line in @why if that fails.
 */
struct concurrent *concurrent_create(struct runner *r, unsigned int actors, char *why,
				     size_t len);
void concurrent_destroy(struct concurrent *c);

/*
 * One round: everybody draws from @seed what to do, then does it. True if no legal
 * order explains what was seen; r->shared->finding says more.
 */
bool concurrent_round(struct concurrent *c, uint64_t seed);

/* Reads and writes of all actors in one round. */
unsigned int concurrent_events(const struct concurrent *c);

#endif /* FUSE_EXPLORE_CONCURRENT_H */
