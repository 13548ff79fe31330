// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#include "concurrent.h"
#include "rng.h"

#define MAX_ACTORS	16
#define EVENTS		12	/* of one actor in one round */

/* Aligned words on both sides of a page boundary, and one of a page of its own. */
static const off_t words[] = { 4096 - 8, 4096, 16384 };

static const enum view_id used_views[] = { F1, F2, B, MS, MB };

struct concurrent {
	struct runner *runner;
	unsigned int actors;
	uint64_t seed;
	pthread_barrier_t step;		/* between rounds: the actors and the director */
	unsigned int round;
	atomic_uint_fast64_t clock;	/* one order of all starts and ends */
	atomic_bool failed;		/* a call returned an error */
	char why[128];
	pid_t pids[MAX_ACTORS];
	struct register_event events[MAX_ACTORS * EVENTS];
};

/* --- an actor --------------------------------------------------------------------- */

static int open_views(struct runner *r, struct view *views)
{
	const struct view_spec *spec;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(used_views); i++) {
		spec = &view_specs[used_views[i]];
		err = view_open(&views[i], spec, spec->side == VIEW_FUSE ? r->shared->fuse :
				r->shared->backing, TRACE_ROOM);
		if (err)
			return err;
	}
	return 0;
}

/* The clock ticks before and after; its atomic steps order the access between them. */
static void act(struct concurrent *c, struct register_event *e, struct view *v,
		const struct action *action)
{
	uint64_t value = e->value;
	ssize_t ret;

	e->start = atomic_fetch_add(&c->clock, 1);
	ret = action->run(v, &value, sizeof(value), words[e->word]);
	e->end = atomic_fetch_add(&c->clock, 1);
	e->value = value;
	if (ret != sizeof(value) && !atomic_exchange(&c->failed, true))
		snprintf(c->why, sizeof(c->why), "%s through %s returned %zd", action->name,
			 v->spec->name, ret);
}

static void play_round(struct concurrent *c, unsigned int who, unsigned int round,
		       struct view *views)
{
	struct rng rng = { c->seed * MAX_ACTORS + who };
	struct register_event *e = c->events + who * EVENTS;
	const struct action *action;
	struct view *v;
	unsigned int i;

	for (i = 0; i < EVENTS; i++, e++) {
		v = &views[rng_below(&rng, ARRAY_SIZE(used_views))];
		*e = (struct register_event) {
			.word = rng_below(&rng, ARRAY_SIZE(words)), .actor = who,
			.write = rng_one_in(&rng, 2), .view = v->spec->name,
		};
		if (e->write)
			e->value = (uint64_t)round << 32 | (who + 1) << 16 | (i + 1);
		action = action_find(v->spec->prot ? (e->write ? "store" : "load") :
				     (e->write ? "pwrite" : "pread"));
		e->action = action->name;
		act(c, e, v, action);
	}
}

static void play(struct concurrent *c, unsigned int who)
{
	struct view views[ARRAY_SIZE(used_views)];

	if (open_views(c->runner, views) && !atomic_exchange(&c->failed, true))
		snprintf(c->why, sizeof(c->why), "actor %u cannot open its views", who);
	for (;;) {
		pthread_barrier_wait(&c->step);
		pthread_barrier_wait(&c->step);
		play_round(c, who, c->round, views);
	}
}

/* --- the director ------------------------------------------------------------------ */

static bool make_barrier(struct concurrent *c, unsigned int actors)
{
	pthread_barrierattr_t attr;
	bool made;

	if (pthread_barrierattr_init(&attr))
		return false;
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	made = !pthread_barrier_init(&c->step, &attr, actors + 1);
	pthread_barrierattr_destroy(&attr);
	return made;
}

struct concurrent *concurrent_create(struct runner *r, unsigned int actors, char *why,
				     size_t len)
{
	struct concurrent *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	if (c == MAP_FAILED || !make_barrier(c, actors)) {
		snprintf(why, len, "out of memory");
		return NULL;
	}
	c->runner = r;
	c->clock = 1;
	server_set_mode(r->sb.server, r->opt.mode >= 0 ? (enum server_mode)r->opt.mode :
			SERVER_PASSTHROUGH);
	for (i = 0; i < actors; i++) {
		/* What the child stores goes to memory that it shares with us. */
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(server_device(r->sb.server));
			play(c, i);
		}
		c->pids[i] = pid;
		c->actors += pid > 0;
	}
	/* Those who die do not come to it; the watchdog ends what waits for them. */
	if (c->actors == actors)
		pthread_barrier_wait(&c->step);
	if (c->actors == actors && !atomic_load(&c->failed))
		return c;
	snprintf(why, len, "%s", c->why[0] ? c->why : "fork failed");
	concurrent_destroy(c);
	return NULL;
}

void concurrent_destroy(struct concurrent *c)
{
	unsigned int i;

	for (i = 0; i < MAX_ACTORS; i++) {
		if (c->pids[i] <= 0)
			continue;
		kill(c->pids[i], SIGKILL);
		waitpid(c->pids[i], NULL, 0);
	}
	munmap(c, sizeof(*c));
}

static void describe(const struct register_event *e, char *buf, size_t len)
{
	snprintf(buf, len, "actor %u %s %llx by %s through %s at [%llu, %llu]", e->actor,
		 e->write ? "wrote" : "read", (unsigned long long)e->value,
		 e->action ?: "nobody", e->view ?: "nothing", (unsigned long long)e->start,
		 (unsigned long long)e->end);
}

static bool found(struct concurrent *c, const struct register_verdict *v)
{
	char a[100], b[100];

	describe(&v->a, a, sizeof(a));
	describe(&v->b, b, sizeof(b));
	runner_found(c->runner, FOUND_RESULT, &(struct step) { 0 }, NULL,
		     "no order explains the word at %lld: %s: %s; %s",
		     (long long)words[v->a.word], v->why, a, b);
	return true;
}

bool concurrent_round(struct concurrent *c, uint64_t seed)
{
	const uint64_t initial = REGISTER_INITIAL;
	struct register_verdict verdict;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (pwrite(c->runner->backing_fd, &initial, sizeof(initial), words[i]) < 0)
			return false;
	c->seed = seed;
	c->round++;
	pthread_barrier_wait(&c->step);
	pthread_barrier_wait(&c->step);
	if (atomic_load(&c->failed)) {
		runner_found(c->runner, FOUND_RESULT, &(struct step) { 0 }, NULL, "%s", c->why);
		return true;
	}
	registers_check(c->events, concurrent_events(c), &verdict);
	return verdict.why && found(c, &verdict);
}

unsigned int concurrent_events(const struct concurrent *c)
{
	return c->actors * EVENTS;
}
