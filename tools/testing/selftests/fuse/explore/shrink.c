// SPDX-License-Identifier: GPL-2.0
/*
 * Delta debugging (Zeller, Hildebrandt: Simplifying and isolating failure-inducing
 * input, IEEE TSE 2002): first over steps, then over what is left of each step.
 * Every candidate runs in a sandbox of its own.
 */
#include <errno.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>

#include "kselftest.h"

#include "shrink.h"

/* Runs that a failure which comes and goes is given to come again. */
#define MAX_TRIES	20
/* Runs of the result, for its rate. */
#define RATE_RUNS	10

struct attempt {
	struct shrink *s;
	struct finding wanted;
	unsigned int tries;	/* runs of one candidate before it counts as passing */
	double deadline;
	struct trace *best;
	struct trace candidate;
	int err;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static bool same_finding(const struct finding *a, const struct finding *b)
{
	if (a->kind != b->kind || !a->deviation != !b->deviation)
		return false;
	return !a->deviation || !strcmp(a->deviation, b->deviation);
}

/* Steps up to the one that found it; one that hangs or kills is never counted as done. */
static size_t steps_of(const struct outcome *out)
{
	return out->step + (out->finding.kind == FOUND_HANG || out->finding.kind == FOUND_DEATH);
}

/* Does @t find what is wanted? Cuts it behind the step that did. */
static bool finds(struct attempt *a, struct trace *t)
{
	struct outcome out;
	unsigned int i;

	for (i = 0; i < a->tries && now() < a->deadline; i++) {
		a->s->runs++;
		isolate_trace(t, a->s->opt, NULL, false, &out);
		if (!same_finding(&out.finding, &a->wanted))
			continue;
		t->count = MIN(t->count, steps_of(&out));
		a->s->outcome = out;
		return true;
	}
	return false;
}

/* Try the candidate; keep it if it still finds the thing. */
static bool improves(struct attempt *a)
{
	if (!finds(a, &a->candidate))
		return false;
	a->err = trace_copy(a->best, &a->candidate);
	if (a->s->progress)
		fprintf(stderr, "\rshrinking: %zu steps after %u runs   ", a->best->count,
			a->s->runs);
	return !a->err;
}

/* --- fewer steps ------------------------------------------------------------------ */

static bool without(struct attempt *a, size_t from, size_t count)
{
	struct trace *c = &a->candidate;

	a->err = trace_copy(c, a->best);
	if (a->err)
		return false;
	memmove(c->steps + from, c->steps + from + count,
		(c->count - from - count) * sizeof(*c->steps));
	c->count -= count;
	return improves(a);
}

/* From the end, so that what follows a needed step is gone before it is tried. */
static bool drop_chunks(struct attempt *a, size_t chunk)
{
	size_t end = a->best->count;
	bool better = false;

	while (end > 0 && !a->err && now() < a->deadline) {
		size_t from = end > chunk ? end - chunk : 0;

		better |= without(a, from, end - from);
		end = MIN(from, a->best->count);
	}
	return better;
}

static void drop_steps(struct attempt *a)
{
	size_t chunk = a->best->count / 2;

	while (chunk && !a->err && now() < a->deadline) {
		bool better = drop_chunks(a, chunk);

		if (chunk == 1 && !better)
			break;
		chunk = chunk > 1 ? (chunk + 1) / 2 : 1;
	}
}

/* --- simpler steps ------------------------------------------------------------------ */

/* Each makes one step simpler, or says that it is so already. */
static bool make_loud(struct step *s)
{
	bool can = s->quiet;

	s->quiet = false;
	return can;
}

static bool make_self(struct step *s)
{
	bool can = s->actor != SELF;

	s->actor = SELF;
	return can;
}

static bool has_bytes(const struct step *s)
{
	return s->verb->kind == VERB_ACTION;
}

static bool make_start(struct step *s)
{
	bool can = s->off && s->verb->args & VERB_HAS_OFF;

	s->off = 0;
	return can;
}

static bool make_aligned(struct step *s)
{
	bool can = s->off % 4096 && s->verb->args & VERB_HAS_OFF;

	s->off -= s->off % 4096;
	return can;
}

static bool make_byte(struct step *s)
{
	bool can = has_bytes(s) && s->len > 1;

	s->len = 1;
	return can;
}

static bool make_half(struct step *s)
{
	bool can = has_bytes(s) && s->len > 1;

	s->len /= 2;
	return can;
}

/* Ranges of mappings and of controls are simplest where they are everything. */
static bool make_whole(struct step *s)
{
	bool can = !has_bytes(s) && s->len && (s->off || s->len != TRACE_ROOM) &&
		   (s->verb->kind == VERB_OPEN || s->verb->needs & ACTION_ON_MAP);

	s->off = 0;
	s->len = TRACE_ROOM;
	return can;
}

static bool make_plain(struct step *s)
{
	const struct view_spec *spec = &view_specs[s->view];
	enum view_id plain = spec->prot ? MS : F1;

	if (!(s->verb->args & VERB_HAS_VIEW) || spec->side != VIEW_FUSE || s->view == plain)
		return false;
	s->view = plain;
	return true;
}

static bool (*const simplifications[])(struct step *s) = {
	make_loud, make_self, make_whole, make_start, make_aligned, make_byte, make_half,
	make_plain,
};

static bool simplify_steps(struct attempt *a)
{
	bool better = false;
	struct step *step;
	size_t i, k;

	for (k = 0; k < ARRAY_SIZE(simplifications); k++) {
		for (i = 0; i < a->best->count && !a->err && now() < a->deadline; i++) {
			a->err = trace_copy(&a->candidate, a->best);
			step = a->candidate.steps + i;
			if (!a->err && simplifications[k](step))
				better |= improves(a);
		}
	}
	return better;
}

/* One actor, or one view for another, in every step at once: half of it would not do. */
static bool rename_everywhere(struct attempt *a, int view, int actor)
{
	bool changed = false;
	struct step *s;
	size_t i;

	a->err = trace_copy(&a->candidate, a->best);
	for (i = 0; i < a->candidate.count && !a->err; i++) {
		s = &a->candidate.steps[i];
		if (actor != SELF && s->actor == actor)
			changed |= make_self(s);
		else if (view >= 0 && s->verb->args & VERB_HAS_VIEW && s->view == view)
			changed |= make_plain(s);
	}
	return changed && !a->err && improves(a);
}

/* What meets at one place has to move there together. */
static bool start_everywhere(struct attempt *a)
{
	bool changed = false;
	size_t i;

	a->err = trace_copy(&a->candidate, a->best);
	for (i = 0; i < a->candidate.count && !a->err; i++)
		if (has_bytes(&a->candidate.steps[i]))
			changed |= make_start(&a->candidate.steps[i]);
	return changed && !a->err && improves(a);
}

static bool simplify_together(struct attempt *a)
{
	bool better = start_everywhere(a);
	int i;

	for (i = 0; i < NR_ACTORS; i++)
		better |= rename_everywhere(a, -1, i);
	for (i = 0; i < NR_VIEW_SPECS; i++)
		better |= rename_everywhere(a, i, SELF);
	return better;
}

/* ------------------------------------------------------------------------------------ */

static void measure_rate(struct attempt *a)
{
	struct outcome out;

	for (a->s->again = 0; a->s->again < RATE_RUNS; a->s->again++) {
		isolate_trace(a->best, a->s->opt, NULL, false, &out);
		if (same_finding(&out.finding, &a->wanted))
			a->s->found++;
		/* Each run of a hang costs the whole watchdog. */
		if (out.finding.kind == FOUND_HANG && a->s->again == 1)
			return;
	}
}

int shrink(struct shrink *s, struct trace *t, const struct outcome *outcome)
{
	double start = now();
	struct attempt a = {
		.s = s, .wanted = outcome->finding, .tries = MAX_TRIES, .best = t,
		.deadline = start + s->seconds,
	};
	bool better;

	s->outcome = *outcome;
	trace_init(&a.candidate);
	t->count = MIN(t->count, steps_of(outcome));
	a.err = trace_copy(&a.candidate, t);
	if (!a.err && improves(&a)) {
		/* One that came at once is taken to come always, until the rate is known. */
		a.tries = s->runs == 1 ? 1 : MIN(3 * s->runs, (unsigned int)MAX_TRIES);
		do {
			drop_steps(&a);
			better = simplify_together(&a);
			better |= simplify_steps(&a);
		} while (better && !a.err && now() < a.deadline);
		measure_rate(&a);
	}
	trace_free(&a.candidate);
	s->took = now() - start;
	if (s->progress)
		fputc('\n', stderr);
	return a.err;
}
