// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "registers.h"

/*
 * All that was done with one value: its write and the reads of it. They must
 * stand together in the order, from the first end to the last start at least.
 */
struct zone {
	uint64_t first_end, last_start;
	const struct register_event *ends, *starts;	/* which say so */
};

static const struct register_event initial_write = { .write = true };

static const struct register_event *find_write(const struct register_event *events, size_t n,
					       const struct register_event *read)
{
	size_t i;

	if (read->value == REGISTER_INITIAL)
		return &initial_write;
	for (i = 0; i < n; i++)
		if (events[i].write && events[i].word == read->word &&
		    events[i].value == read->value)
			return &events[i];
	return NULL;
}

static void extend(struct zone *z, const struct register_event *e)
{
	if (e->end < z->first_end) {
		z->first_end = e->end;
		z->ends = e;
	}
	if (e->start > z->last_start) {
		z->last_start = e->start;
		z->starts = e;
	}
}

static struct zone zone_of(const struct register_event *events, size_t n, unsigned int word,
			   const struct register_event *write)
{
	struct zone z = { write->end, write->start, write, write };
	size_t i;

	for (i = 0; i < n; i++)
		if (!events[i].write && events[i].word == word && events[i].value == write->value)
			extend(&z, &events[i]);
	return z;
}

/* Two values that cannot each have had the word to themselves. */
static bool collide(const struct zone *a, const struct zone *b)
{
	bool forward_a = a->first_end < a->last_start, forward_b = b->first_end < b->last_start;

	if (forward_a && forward_b)
		return a->first_end < b->last_start && b->first_end < a->last_start;
	if (forward_a)
		return a->first_end < b->last_start && b->first_end < a->last_start;
	if (forward_b)
		return b->first_end < a->last_start && a->first_end < b->last_start;
	return false;
}

static bool reads_are_of_writes(const struct register_event *events, size_t n,
				struct register_verdict *v)
{
	const struct register_event *write;
	size_t i;

	for (i = 0; i < n; i++) {
		if (events[i].write)
			continue;
		write = find_write(events, n, &events[i]);
		if (write && write->start <= events[i].end)
			continue;
		v->why = write ? "a value is read before its write began" :
				 "a value is read that nobody wrote there";
		v->a = events[i];
		v->b = write ? *write : events[i];
		return false;
	}
	return true;
}

static bool zones_fit(const struct register_event *events, size_t n, size_t i,
		      struct register_verdict *v)
{
	const struct register_event *other;
	unsigned int word = events[i].word;
	struct zone a = zone_of(events, n, word, &events[i]), b;
	size_t j;

	/* The initial value stands in for the event itself. */
	for (j = i; j < n; j++) {
		other = j == i ? &initial_write : &events[j];
		if (j != i && (!other->write || other->word != word))
			continue;
		b = zone_of(events, n, word, other);
		if (!collide(&a, &b))
			continue;
		v->why = "an older value is seen after a newer one";
		v->a = *a.starts;
		v->b = *b.starts;
		return false;
	}
	return true;
}

void registers_check(const struct register_event *events, size_t n,
		     struct register_verdict *verdict)
{
	size_t i;

	memset(verdict, 0, sizeof(*verdict));
	if (!reads_are_of_writes(events, n, verdict))
		return;
	for (i = 0; i < n; i++)
		if (events[i].write && !zones_fit(events, n, i, verdict))
			return;
}
