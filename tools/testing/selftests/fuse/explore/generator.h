/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random histories. A seed means one history everywhere: what is drawn depends on
 * the seed, the length and the weights, never on the machine or on outcomes.
 */
#ifndef FUSE_EXPLORE_GENERATOR_H
#define FUSE_EXPLORE_GENERATOR_H

#include "trace.h"

/* Draw @count steps into an initialised @t, which is emptied first. 0 or -ENOMEM. */
int generate(struct trace *t, const struct vocabulary *voc, uint64_t seed, size_t count);

#endif /* FUSE_EXPLORE_GENERATOR_H */
