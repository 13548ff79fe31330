/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The explorer's random numbers: its own, so that a seed means the same history
 * with every C library. SplitMix64 (Steele, Lea, Flood: Fast splittable
 * pseudorandom number generators, OOPSLA 2014).
 */
#ifndef FUSE_EXPLORE_RNG_H
#define FUSE_EXPLORE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 .. @n - 1; @n > 0. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return ((rng_next(r) >> 32) * n) >> 32;
}

/* True once in @n times. */
static inline bool rng_one_in(struct rng *r, uint32_t n)
{
	return !rng_below(r, n);
}

#endif /* FUSE_EXPLORE_RNG_H */
