// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "concurrent.h"
#include "generator.h"
#include "isolate.h"

/* How often the caller looks at the child, for progress line and watchdog. */
#define LOOK_MS		500

/* Shared with the child. */
struct board {
	struct outcome out;
	atomic_ulong beats;	/* grows with every step */
	atomic_bool ended;	/* the outcome is complete */
};

/* What the child is to do. */
struct job {
	const struct trace *trace;
	const struct campaign *campaign;
	const struct runner_options *opt;
	const char *command;
	bool loud;
	struct board *board;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- in the child ------------------------------------------------------------------ */

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
	bool found = false;

	if (err) {
		b->out.finding.kind = FOUND_TROUBLE;
		snprintf(b->out.why, sizeof(b->out.why), "beginning a history: %s",
			 strerror(-err));
		return true;
	}
	for (b->out.step = 0; b->out.step < t->count && !found; b->out.step++) {
		atomic_fetch_add_explicit(&b->beats, 1, memory_order_relaxed);
		found = runner_step(r, &t->steps[b->out.step]);
	}
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

static void run_campaign(const struct job *job, struct runner *r)
{
	const struct campaign *c = job->campaign;
	double end = now() + c->seconds;
	struct trace t;
	uint64_t n;

	trace_init(&t);
	for (n = 0; !c->histories || n < c->histories; n++) {
		if (c->seconds > 0 && now() >= end)
			break;
		job->board->out.seed = c->seed + n;
		if (generate(&t, c->voc, c->seed + n, c->steps)) {
			job->board->out.finding.kind = FOUND_TROUBLE;
			snprintf(job->board->out.why, sizeof(job->board->out.why), "out of memory");
			break;
		}
		if (run_history(job, r, &t))
			break;
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
		report(job, r);
	}
	return found;
}

static void run_concurrent(const struct job *job, struct runner *r)
{
	const struct campaign *camp = job->campaign;
	double end = now() + camp->seconds;
	struct board *b = job->board;
	struct concurrent *c = NULL;
	uint64_t n;

	if (!runner_begin(r, TRACE_LONG_TIMEOUT))
		c = concurrent_create(r, camp->actors, b->out.why, sizeof(b->out.why));
	if (!c) {
		b->out.finding.kind = FOUND_TROUBLE;
		return;
	}
	for (n = 0; !camp->histories || n < camp->histories; n++) {
		if (camp->seconds > 0 && now() >= end)
			break;
		b->out.seed = camp->seed + n;
		if (run_rounds(job, r, c))
			break;
	}
	concurrent_destroy(c);
	runner_end(r);
}

static void child(const struct job *job)
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
			run_campaign(job, &r);
	}
	atomic_store(&b->ended, true);
	runner_destroy(&r);
	fflush(NULL);
	_exit(0);
}

/* --- in the caller ----------------------------------------------------------------- */

static void print_progress(const struct job *job, double since, bool last)
{
	const struct outcome *o = &job->board->out;
	unsigned long beats = atomic_load(&job->board->beats);
	double s = now() - since;

	if (!job->campaign || !job->campaign->progress)
		return;
	fprintf(stderr, "\rseed %llu: %lu actions in %.1f s, %.0f actions/s%s",
		(unsigned long long)o->seed, beats, s, beats / (s > 0 ? s : 1),
		last ? "\n" : "  ");
}

/* Did the child make a step since @seen, or is it not stuck for long yet? */
static bool is_alive(struct board *b, unsigned long *seen, double *since)
{
	unsigned long beats = atomic_load(&b->beats);

	if (beats != *seen) {
		*seen = beats;
		*since = now();
	}
	return now() - *since < WATCHDOG_SECONDS;
}

static void wait_for(const struct job *job, pid_t pid)
{
	double start = now(), moved = start;
	struct board *b = job->board;
	unsigned long seen = 0;
	struct pollfd p = { .events = POLLIN };

	p.fd = syscall(SYS_pidfd_open, pid, 0);
	while (p.fd >= 0 && poll(&p, 1, LOOK_MS) <= 0) {
		print_progress(job, start, false);
		if (is_alive(b, &seen, &moved))
			continue;
		/* The guardian frees what waits for the child's server. */
		kill(pid, SIGKILL);
		if (!atomic_load(&b->ended))
			b->out.finding.kind = FOUND_HANG;
		break;
	}
	print_progress(job, start, true);
	if (p.fd >= 0)
		close(p.fd);
}

static void run_job(struct job *job, struct outcome *out)
{
	pid_t pid, parent = getpid();
	int status = 0;

	memset(out, 0, sizeof(*out));
	out->finding.kind = FOUND_TROUBLE;
	job->board = mmap(NULL, sizeof(*job->board), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job->board == MAP_FAILED) {
		snprintf(out->why, sizeof(out->why), "out of memory");
		return;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		child(job);
	}
	if (pid > 0) {
		wait_for(job, pid);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		*out = job->board->out;
		if (!atomic_load(&job->board->ended) && out->finding.kind != FOUND_HANG) {
			out->finding.kind = FOUND_DEATH;
			snprintf(out->finding.what, sizeof(out->finding.what),
				 "the process ended by %s",
				 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "itself");
		}
		if (out->finding.kind == FOUND_HANG)
			snprintf(out->finding.what, sizeof(out->finding.what),
				 "a step did not end within %d s", WATCHDOG_SECONDS);
	} else {
		snprintf(out->why, sizeof(out->why), "fork: %s", strerror(errno));
	}
	munmap(job->board, sizeof(*job->board));
}

void isolate_trace(const struct trace *t, const struct runner_options *opt,
		   const char *command, bool loud, struct outcome *out)
{
	struct job job = { .trace = t, .opt = opt, .command = command, .loud = loud };

	run_job(&job, out);
}

void isolate_campaign(const struct campaign *c, const struct runner_options *opt,
		      struct outcome *out)
{
	/* Loud: what never comes again is told at least once. */
	struct job job = { .campaign = c, .opt = opt, .command = c->command, .loud = true };

	run_job(&job, out);
}
