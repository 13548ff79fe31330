// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "concurrent.h"
#include "generator.h"
#include "job.h"

double job_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void report(const struct job *job, struct runner *r)
{
	const struct finding *f = &r->shared->finding;
	struct report_case c = { .sb = &r->sb, .command = job->command };

	if (f->kind == FOUND_BYTES) {
		report_mismatch(&c, actor_names[f->actor], &view_specs[f->view], f->action,
				&f->bytes);
	} else {
		report_line("%s: %s", finding_name(f->kind), f->what);
		report_line("  backing %s", r->sb.fs);
		report_rerun(&c);
	}
	if (f->deviation)
		report_line("  this is the known deviation %s", f->deviation);
}

static bool run_history(const struct job *job, struct runner *r, const struct trace *t)
{
	struct board *b = job->board;
	int err = runner_begin(r, t->attr_timeout);
	uint64_t digest = digest_begin(t->attr_timeout);
	bool found = false;

	if (err) {
		b->out.finding.kind = FOUND_TROUBLE;
		snprintf(b->out.why, sizeof(b->out.why), "beginning a history: %s",
			 strerror(-err));
		return true;
	}
	for (b->out.step = 0; b->out.step < t->count && !found; b->out.step++) {
		atomic_fetch_add_explicit(&b->beats, 1, memory_order_relaxed);
		digest = digest_step(digest, &t->steps[b->out.step]);
		found = runner_step(r, &t->steps[b->out.step]);
	}
	r->shared->counts.drawn += digest;
	found = found || runner_finish(r);
	b->out.counts = r->shared->counts;
	if (found) {
		b->out.finding = r->shared->finding;
		if (job->loud)
			report(job, r);
	}
	runner_end(r);
	return found;
}

/*
 * The seed of the next history. Whoever has taken one carries it out, so that all
 * before the one that finds something are done: the first finding is always found.
 */
static bool take_seed(const struct job *job, uint64_t *seed)
{
	const struct campaign *c = job->campaign;
	uint64_t n;

	if (atomic_load(&job->progress->over) || (job->end > 0 && job_now() >= job->end))
		return false;
	n = atomic_fetch_add(&job->progress->taken, 1);
	*seed = c->seed + n;
	return !c->histories || n < c->histories;
}

static void run_histories(const struct job *job, struct runner *r)
{
	const struct campaign *c = job->campaign;
	struct board *b = job->board;
	struct trace t;
	uint64_t seed;

	trace_init(&t);
	while (take_seed(job, &seed)) {
		b->out.seed = seed;
		if (generate(&t, c->voc, seed, c->steps)) {
			b->out.finding.kind = FOUND_TROUBLE;
			snprintf(b->out.why, sizeof(b->out.why), "out of memory");
			break;
		}
		if (run_history(job, r, &t)) {
			atomic_store(&job->progress->over, true);
			break;
		}
	}
	trace_free(&t);
}

/* @steps of reads and writes make a history; each round draws from a seed of its own. */
static bool run_rounds(const struct job *job, struct runner *r, struct concurrent *c)
{
	unsigned int rounds = job->campaign->steps / concurrent_events(c) + 1;
	struct board *b = job->board;
	bool found = false;

	for (b->out.step = 0; b->out.step < rounds && !found; b->out.step++) {
		found = concurrent_round(c, b->out.seed * TRACE_MAX_STEPS + b->out.step);
		r->shared->counts.steps += concurrent_events(c);
		atomic_fetch_add(&b->beats, concurrent_events(c));
	}
	b->out.counts = r->shared->counts;
	if (found) {
		b->out.finding = r->shared->finding;
		if (job->loud)
			report(job, r);
	}
	return found;
}

static void run_concurrent(const struct job *job, struct runner *r)
{
	struct board *b = job->board;
	struct concurrent *c = NULL;
	uint64_t seed;

	if (!runner_begin(r, TRACE_LONG_TIMEOUT))
		c = concurrent_create(r, job->campaign->actors, b->out.why, sizeof(b->out.why));
	if (!c) {
		b->out.finding.kind = FOUND_TROUBLE;
		return;
	}
	while (take_seed(job, &seed)) {
		b->out.seed = seed;
		if (run_rounds(job, r, c))
			break;
	}
	concurrent_destroy(c);
	runner_end(r);
}

void job_run(const struct job *job)
{
	struct board *b = job->board;
	struct runner r;

	b->out.finding.kind = runner_create(&r, job->opt, b->out.why, sizeof(b->out.why));
	if (b->out.finding.kind == FOUND_NOTHING) {
		b->out.abi = server_abi(r.sb.server);
		if (job->trace)
			run_history(job, &r, job->trace);
		else if (job->campaign->actors)
			run_concurrent(job, &r);
		else
			run_histories(job, &r);
	}
	atomic_store(&b->ended, true);
	runner_destroy(&r);
}
