// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"
#include "watchdog.h"

struct worker {
	struct job job;
	pid_t pid;
	int pidfd;		/* -1: it has ended */
	struct watched watched;
};

/* In memory shared with the workers. */
struct shared {
	struct progress progress;
	struct board boards[MAX_JOBS];
};

struct crew {
	struct shared *shared;
	struct worker workers[MAX_JOBS];
	unsigned int count;
	struct watch watch;
	double start;
	bool show;		/* a progress line */
};

/* --- starting ------------------------------------------------------------------------ */

/*
 * A step is one thing after the other, done by tester, server and actors in turn:
 * together on one processor they hand over without waking another, and unmap
 * without interrupting it. As batch tasks they do not preempt each other either:
 * who answers goes on until it waits, and is not woken once more only to do that.
 */
static void stay_on(unsigned int worker)
{
	cpu_set_t all, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	worker %= CPU_COUNT(&all);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && !worker--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param) { 0 });
}

static void work(const struct job *job, int number, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The guardian kills the group of a worker that died: not the others'. */
	setpgid(0, 0);
	if (getppid() != parent)
		_exit(0);
	if (number >= 0)
		stay_on(number);
	job_run(job);
	fflush(NULL);
	_exit(0);
}

static bool start(struct worker *w, int number)
{
	struct outcome *out = &w->job.board->out;
	pid_t parent = getpid();

	fflush(NULL);
	w->pidfd = -1;
	w->pid = fork();
	if (!w->pid)
		work(&w->job, number, parent);
	if (w->pid > 0)
		w->pidfd = syscall(SYS_pidfd_open, w->pid, 0);
	if (w->pidfd >= 0)
		return true;
	out->finding.kind = FOUND_TROUBLE;
	snprintf(out->why, sizeof(out->why), "starting a process: %s", strerror(errno));
	atomic_store(&w->job.board->ended, true);
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	return false;
}

/* --- watching ------------------------------------------------------------------------- */

static void print_progress(const struct crew *crew, bool last)
{
	unsigned long beats = 0, taken = atomic_load(&crew->shared->progress.taken);
	double s = job_now() - crew->start;
	unsigned int i;

	if (!crew->show)
		return;
	for (i = 0; i < crew->count; i++)
		beats += atomic_load(&crew->shared->boards[i].beats);
	fprintf(stderr, "\r%lu histories: %lu actions in %.1f s, %.0f actions/s%s", taken, beats,
		s, beats / (s > 0 ? s : 1), last ? "\n" : "  ");
}

/* How it ended, if its board does not say so. @where: it was stuck there, or NULL. */
static void bury(struct worker *w, const char *where, struct progress *progress)
{
	struct board *b = w->job.board;
	int status = 0;

	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(w->pidfd);
	w->pidfd = -1;
	if (atomic_load(&b->ended) && (!where || b->out.finding.kind != FOUND_NOTHING))
		return;
	atomic_store(&progress->over, true);
	b->out.finding.kind = where ? FOUND_HANG : FOUND_DEATH;
	if (where)
		snprintf(b->out.finding.what, sizeof(b->out.finding.what),
			 "%s did not end in %d s that the machine had for it%s",
			 atomic_load(&b->ended) ? "taking the mount down" : "a step",
			 WATCHDOG_SECONDS, where);
	else
		snprintf(b->out.finding.what, sizeof(b->out.finding.what),
			 "the process ended by %s",
			 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "itself");
}

/* Killed, the guardian frees what waits for its server. */
static void end_stuck(struct worker *w, struct progress *progress)
{
	char where[sizeof(w->job.board->out.finding.what)];

	watch_where(w->pid, where, sizeof(where));
	kill(w->pid, SIGKILL);
	bury(w, where, progress);
}

/* False when all have ended. */
static bool look_after(struct crew *crew)
{
	struct pollfd p[MAX_JOBS];
	unsigned int i, left = 0;
	struct worker *w;

	for (i = 0; i < crew->count; i++) {
		p[i] = (struct pollfd) { .fd = crew->workers[i].pidfd, .events = POLLIN };
		left += p[i].fd >= 0;
	}
	if (!left)
		return false;
	poll(p, crew->count, WATCHDOG_LOOK_MS);
	watch_look(&crew->watch);
	for (i = 0; i < crew->count; i++) {
		w = &crew->workers[i];
		if (w->pidfd < 0)
			continue;
		if (p[i].revents)
			bury(w, NULL, &crew->shared->progress);
		else if (watch_stuck(&crew->watch, &w->watched, atomic_load(&w->job.board->beats)))
			end_stuck(w, &crew->shared->progress);
	}
	print_progress(crew, false);
	return true;
}

/* --- outcomes --------------------------------------------------------------------------- */

static void add_counts(struct runner_counts *sum, const struct runner_counts *c)
{
	size_t i;

	sum->steps += c->steps;
	sum->skipped += c->skipped;
	sum->comparisons += c->comparisons;
	sum->refused_below += c->refused_below;
	/* A sum, so that it does not matter who did which. */
	sum->drawn += c->drawn;
	for (i = 0; i < sizeof(c->deviations) / sizeof(*c->deviations); i++)
		sum->deviations[i] += c->deviations[i];
}

static bool is_verdict(const struct outcome *o)
{
	return o->finding.kind != FOUND_TROUBLE && o->finding.kind != FOUND_UNSUPPORTED;
}

/* What was found counts more than nothing, and the first of the seeds most. */
static bool counts_more(const struct outcome *a, const struct outcome *b)
{
	bool found_a = a->finding.kind != FOUND_NOTHING, found_b = b->finding.kind != FOUND_NOTHING;

	if (found_a != found_b)
		return found_a;
	if (is_verdict(a) != is_verdict(b))
		return is_verdict(a);
	return a->seed < b->seed;
}

static void gather(const struct crew *crew, struct outcome *out)
{
	struct runner_counts sum = { 0 };
	const struct outcome *o;
	unsigned int i;

	*out = crew->workers[0].job.board->out;
	for (i = 0; i < crew->count; i++) {
		o = &crew->workers[i].job.board->out;
		add_counts(&sum, &o->counts);
		if (counts_more(o, out))
			*out = *o;
	}
	out->counts = sum;
}

/* @pinned: each worker stays on a processor of its own. */
static void run(const struct job *job, unsigned int count, bool pinned, struct outcome *out)
{
	struct crew crew = {
		.count = count, .start = job_now(),
		.show = job->campaign && job->campaign->progress,
	};
	struct worker *w;
	unsigned int i;

	crew.shared = mmap(NULL, sizeof(*crew.shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crew.shared == MAP_FAILED) {
		memset(out, 0, sizeof(*out));
		out->finding.kind = FOUND_TROUBLE;
		snprintf(out->why, sizeof(out->why), "out of memory");
		return;
	}
	watch_begin(&crew.watch);
	for (i = 0; i < count; i++) {
		w = &crew.workers[i];
		w->watched.since = crew.watch.now;
		w->job = *job;
		w->job.board = &crew.shared->boards[i];
		w->job.progress = &crew.shared->progress;
		if (!start(w, pinned ? (int)i : -1))
			atomic_store(&crew.shared->progress.over, true);
	}
	while (look_after(&crew))
		;
	print_progress(&crew, true);
	gather(&crew, out);
	out->took = job_now() - crew.start;
	munmap(crew.shared, sizeof(*crew.shared));
}

void isolate_trace(const struct trace *t, const struct runner_options *opt,
		   const char *command, bool loud, struct outcome *out)
{
	struct job job = { .trace = t, .opt = opt, .command = command, .loud = loud };

	run(&job, 1, false, out);
}

unsigned int isolate_processors(void)
{
	cpu_set_t all;
	unsigned int n = sched_getaffinity(0, sizeof(all), &all) ? 1 : CPU_COUNT(&all);

	return n < MAX_JOBS ? n : MAX_JOBS;
}

void isolate_campaign(const struct campaign *c, const struct runner_options *opt,
		      struct outcome *out)
{
	struct job job = {
		.campaign = c, .opt = opt, .command = c->command,
		/* What never comes again is told at least once. */
		.loud = !c->quiet,
		.end = c->seconds > 0 ? job_now() + c->seconds : 0,
	};

	/* Concurrent actors want all processors. */
	run(&job, c->actors || !c->jobs ? 1 : c->jobs, c->jobs && !c->actors, out);
}
