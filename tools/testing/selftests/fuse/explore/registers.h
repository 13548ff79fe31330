/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Did concurrent reads and writes of words have some legal order? Each word is a
 * register: there is one order of all that was done to it that respects real
 * time, and every read sees the write before it (linearizability; Herlihy, Wing,
 * TOPLAS 1990). Every write writes a value of its own, so the question is decided
 * by comparing intervals (Gibbons, Korach: Testing shared memories, SIAM J.
 * Comput. 1997).
 */
#ifndef FUSE_EXPLORE_REGISTERS_H
#define FUSE_EXPLORE_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a word contains at the beginning; nobody writes it. */
#define REGISTER_INITIAL	0

struct register_event {
	uint64_t start, end;	/* in one order for all, > 0 */
	uint64_t value;
	unsigned int word;
	bool write;
	unsigned int actor;
	const char *view, *action;
};

struct register_verdict {
	const char *why;		/* NULL: some legal order explains all */
	struct register_event a, b;	/* those that contradict each other; b may be unused */
};

/* Decide about @n events of any words. */
void registers_check(const struct register_event *events, size_t n,
		     struct register_verdict *verdict);

#endif /* FUSE_EXPLORE_REGISTERS_H */
