// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "generator.h"
#include "rng.h"

/* Drawn ranges know one page size, so that they are the same on every machine. */
#define UNIT		4096
/* Mappings start and end where every usual page size has a boundary. */
#define WINDOW_UNIT	(16 * 1024)
#define FIRST_SIZE	(6 * UNIT)
/* Files mostly stay in the lower half of the room. */
#define USUAL_SIZE	(TRACE_ROOM / 2)
#define MAX_TRIES	8
/* Steps between two changes of mode, on average. */
#define CHANGE_EVERY	250
/*
 * Steps that a descriptor stays open whose every look is a request to the server:
 * in most histories, and in those that are about it.
 */
#define SERVED_BRIEFLY	6
#define SERVED_LONG	100
/* Opens that the mode of another one keeps out lead nowhere, but it must keep them out. */
#define REFUSED_ONE_IN	8
/* Always quiet: attributes stay cached, so the history is about them. */
#define ALWAYS_QUIET	8

/*
 * What would be open if every step succeeded. Histories differ in character
 * (Groce et al., Swarm testing, ISSTA 2012): each leaves out some verbs and views,
 * for what is missing lets other things happen for longer.
 */
struct generator {
	struct rng rng;
	const struct vocabulary *voc;
	unsigned int weight[MAX_VERBS];
	uint64_t total;
	unsigned int views;		/* mask of those this history opens */
	unsigned int few_views;		/* fewer open ones call for more */
	bool use_child, use_other;
	unsigned int quiet_of_8;	/* how many steps in eight are quiet */
	unsigned int served_for;
	bool open[NR_ACTORS][NR_VIEW_SPECS];
	bool fd[NR_ACTORS][NR_VIEW_SPECS];	/* not closed under its mapping */
	bool has_child;
	uint32_t size, hot;		/* nominal size; where most happens */
	bool changing;			/* descriptors are being closed for another mode */
};

/* What the history is about comes more often. */
static unsigned int emphasis(const struct generator *g, const struct verb *verb)
{
	/* Not those that wait for the disk. */
	bool times = verb->kind == VERB_STAT || verb->kind == VERB_SET_TIMES ||
		     (verb->control && verb->control->flush == CONTROL_OWES);

	if (g->quiet_of_8 == ALWAYS_QUIET && times)
		return 8;
	if (g->served_for == SERVED_LONG && verb->action && verb->needs & ACTION_SPLICES)
		return 4;
	return 1;
}

static void draw_character(struct generator *g)
{
	static const unsigned int quiet[] = { 0, 0, 1, 4, ALWAYS_QUIET };
	static const unsigned int factors[] = { 0, 1, 1, 1, 2, 8 };
	unsigned int i, share;

	g->quiet_of_8 = quiet[rng_below(&g->rng, 5)];
	g->served_for = rng_one_in(&g->rng, 4) ? SERVED_LONG : SERVED_BRIEFLY;
	for (i = 0; i < g->voc->count; i++) {
		unsigned int times = factors[rng_below(&g->rng, 6)];

		g->weight[i] = g->voc->verbs[i].weight * times * emphasis(g, &g->voc->verbs[i]);
		g->total += g->weight[i];
	}
	share = 1 + rng_below(&g->rng, 6);
	for (i = 0; i < NR_VIEW_SPECS; i++)
		if (rng_below(&g->rng, 8) < share)
			g->views |= VIEW_BIT(i);
	g->views |= VIEW_BIT(MS);
	/* Of what is served, only it has mappings that pass through beside it. */
	if (g->served_for == SERVED_LONG)
		g->views |= VIEW_BIT(FX);
	g->few_views = 1 + rng_below(&g->rng, 4);
	g->use_child = rng_one_in(&g->rng, 4);
	g->use_other = rng_one_in(&g->rng, 4);
	g->hot = UNIT * (1 + rng_below(&g->rng, 6));
	g->size = FIRST_SIZE;
}

static const struct verb *draw_verb(struct generator *g)
{
	uint64_t at = rng_next(&g->rng) % (g->total ?: 1);
	unsigned int i;

	for (i = 0; i < g->voc->count; i++) {
		if (at < g->weight[i])
			return &g->voc->verbs[i];
		at -= g->weight[i];
	}
	return &g->voc->verbs[0];
}

static enum actor_id draw_actor(struct generator *g)
{
	uint32_t n = rng_below(&g->rng, 8);

	if (n == 0 && g->use_other)
		return OTHER;
	if (n <= 2 && g->has_child)
		return CHILD;
	return SELF;
}

/* --- views ---------------------------------------------------------------------- */

static bool suits(const struct verb *verb, int view)
{
	const struct view_spec *spec = &view_specs[view];

	if (verb->needs & ACTION_ON_MAP)
		return spec->prot;
	if (verb->needs & ACTION_ON_FD)
		return !spec->prot;
	return true;
}

static bool passes_through(int view)
{
	return view_specs[view].side == VIEW_FUSE && (view_specs[view].mode == SERVER_PASSTHROUGH ||
	       view_specs[view].mode == SERVER_PASSTHROUGH_DIRECT);
}

static bool is_served(int view)
{
	return view_specs[view].side == VIEW_FUSE && view_specs[view].mode != SERVER_PASSTHROUGH;
}

/* Cached and passthrough opens keep each other out, as do direct ones passthrough. */
static bool admitted(const struct generator *g, int view)
{
	int who, other;

	if (view_specs[view].side == VIEW_BACKING)
		return true;
	for (who = 0; who < NR_ACTORS; who++)
		for (other = 0; other < NR_VIEW_SPECS; other++)
			if (g->fd[who][other] &&
			    (passes_through(view) ? other == FC : passes_through(other)))
				return false;
	return true;
}

/* One of the views that are open (or not), evenly; -1 if there is none. */
static int draw_view(struct generator *g, enum actor_id who, const struct verb *verb, bool open)
{
	int view, chosen = -1;
	uint32_t n = 0;

	for (view = 0; view < NR_VIEW_SPECS; view++) {
		if (g->open[who][view] != open || !suits(verb, view))
			continue;
		if (!open && !(g->views & VIEW_BIT(view)))
			continue;
		if (!open && !admitted(g, view) && !rng_one_in(&g->rng, REFUSED_ONE_IN))
			continue;
		if (rng_one_in(&g->rng, ++n))
			chosen = view;
	}
	return chosen;
}

static unsigned int count_open(const struct generator *g)
{
	unsigned int n = 0;
	int view;

	for (view = 0; view < NR_VIEW_SPECS; view++)
		n += g->open[SELF][view];
	return n;
}

static void draw_window(struct generator *g, struct step *step)
{
	step->off = 0;
	step->len = 0;
	if (!view_specs[step->view].prot)
		return;
	step->len = TRACE_ROOM;
	if (step->view != MW && rng_below(&g->rng, 4))
		return;
	step->off = rng_below(&g->rng, 3) * WINDOW_UNIT;
	step->len = (1 + rng_below(&g->rng, 4)) * WINDOW_UNIT;
}

/* --- ranges ---------------------------------------------------------------------- */

static uint32_t draw_off(struct generator *g)
{
	uint32_t n = rng_below(&g->rng, 8), back = rng_below(&g->rng, 256);

	if (n < 3)
		return g->hot + rng_below(&g->rng, UNIT);
	if (n == 3)
		return g->hot - back % 64;
	if (n == 4)
		return g->size - MIN(g->size, back);
	if (n == 5)
		return g->size;
	if (n == 6)
		return rng_below(&g->rng, g->size + 1);
	return rng_below(&g->rng, USUAL_SIZE);
}

static uint32_t draw_len(struct generator *g)
{
	uint32_t n = rng_below(&g->rng, 32);

	if (n < 18)
		return 1 + rng_below(&g->rng, 64);
	if (n < 26)
		return 1 + rng_below(&g->rng, 512);
	if (n < 29)
		return 1 + rng_below(&g->rng, UNIT);
	return n == 31 ? 1 + rng_below(&g->rng, 3 * UNIT) : UNIT;
}

static void draw_range(struct generator *g, struct step *step)
{
	bool wants_blocks = step->verb->args & VERB_HAS_VIEW &&
			    view_specs[step->view].open_flags & O_DIRECT &&
			    rng_below(&g->rng, 8);

	step->off = draw_off(g);
	step->len = draw_len(g);
	if (wants_blocks) {
		step->off -= step->off % UNIT;
		step->len = roundup(step->len, UNIT);
	}
	if (step->off + step->len > TRACE_ROOM)
		step->len = TRACE_ROOM - step->off;
}

/* --- steps ----------------------------------------------------------------------- */

static void follow_open(struct generator *g, const struct step *step)
{
	bool opened = admitted(g, step->view);

	g->open[step->actor][step->view] = opened;
	g->fd[step->actor][step->view] = opened;
}

static void follow_close(struct generator *g, const struct step *step)
{
	g->fd[step->actor][step->view] = false;
	if (step->verb->kind == VERB_CLOSE)
		g->open[step->actor][step->view] = false;
}

/* What the step leads to if it succeeds. */
static void follow(struct generator *g, const struct step *step)
{
	const struct verb *verb = step->verb;
	uint32_t end = step->off + step->len;

	if (verb->kind == VERB_OPEN)
		follow_open(g, step);
	if (verb->kind == VERB_CLOSE || verb->kind == VERB_CLOSE_FD)
		follow_close(g, step);
	if (verb->kind == VERB_FORK) {
		g->has_child = true;
		memcpy(g->open[CHILD], g->open[SELF], sizeof(g->open[CHILD]));
		memcpy(g->fd[CHILD], g->fd[SELF], sizeof(g->fd[CHILD]));
	}
	if (verb->kind == VERB_END) {
		g->has_child = false;
		memset(g->fd[CHILD], 0, sizeof(g->fd[CHILD]));
	}
	if (verb->control && verb->control->effect == CONTROL_RESIZES)
		g->size = step->off;
	if (verb->kind == VERB_ACTION && verb->action->kind == ACTION_WRITE &&
	    verb->needs & ACTION_ON_FD && end > g->size)
		g->size = end;
}

static bool draw_open(struct generator *g, struct step *step)
{
	int view;

	step->verb = verb_find(g->voc, "open");
	view = draw_view(g, step->actor, step->verb, false);
	if (view < 0)
		return false;
	step->view = view;
	draw_window(g, step);
	return true;
}

static bool draw_args(struct generator *g, struct step *step)
{
	int view;

	switch (step->verb->kind) {
	case VERB_OPEN:
		return draw_open(g, step);
	case VERB_FORK:
		step->actor = SELF;
		return g->use_child && !g->has_child;
	case VERB_END:
		step->actor = SELF;
		return g->has_child;
	default:
		break;
	}
	if (step->verb->args & VERB_HAS_VIEW) {
		view = draw_view(g, step->actor, step->verb, true);
		if (view < 0)
			return draw_open(g, step);
		step->view = view;
	}
	if (step->verb->args & VERB_HAS_OFF)
		draw_range(g, step);
	return true;
}

/* What the server reads and writes is slow to look at, so it does not stay for long. */
static bool draw_dismissal(struct generator *g, struct step *step)
{
	int who, view;

	for (who = 0; who < NR_ACTORS; who++) {
		for (view = 0; view < NR_VIEW_SPECS; view++) {
			if (!g->fd[who][view] || view_specs[view].prot || !is_served(view) ||
			    !rng_one_in(&g->rng, g->served_for))
				continue;
			memset(step, 0, sizeof(*step));
			step->verb = verb_find(g->voc, "close");
			step->actor = who;
			step->view = view;
			return true;
		}
	}
	return false;
}

/*
 * Now and then everybody lets go of the file, keeping the mappings, so that it can
 * be opened in a mode that passthrough descriptors keep out. Chance alone would
 * close the last of them too rarely.
 */
static bool draw_change(struct generator *g, struct step *step)
{
	int who, view;

	if (draw_dismissal(g, step))
		return true;
	if (!g->changing && !rng_one_in(&g->rng, CHANGE_EVERY))
		return false;
	memset(step, 0, sizeof(*step));
	g->changing = true;
	for (who = 0; who < NR_ACTORS; who++) {
		for (view = 0; view < NR_VIEW_SPECS; view++) {
			if (!g->fd[who][view] || !passes_through(view))
				continue;
			step->verb = verb_find(g->voc, view_specs[view].prot ? "close-fd" : "close");
			step->actor = who;
			step->view = view;
			return true;
		}
	}
	g->changing = false;
	step->verb = verb_find(g->voc, "open");
	step->view = rng_below(&g->rng, 4) ? FC : FN;
	return !g->open[SELF][step->view];
}

static void draw_step(struct generator *g, struct step *step)
{
	bool drawn = draw_change(g, step);
	int tries;

	for (tries = 0; tries < MAX_TRIES && !drawn; tries++) {
		memset(step, 0, sizeof(*step));
		step->actor = draw_actor(g);
		if (count_open(g) < g->few_views && rng_one_in(&g->rng, 2)) {
			step->actor = SELF;
			drawn = draw_open(g, step);
			continue;
		}
		step->verb = draw_verb(g);
		drawn = draw_args(g, step);
	}
	if (!drawn) {
		memset(step, 0, sizeof(*step));
		step->verb = verb_find(g->voc, "check");
	}
	step->quiet = rng_below(&g->rng, 8) < g->quiet_of_8;
	if (rng_one_in(&g->rng, 64))
		g->hot = UNIT * (1 + rng_below(&g->rng, 6));
	follow(g, step);
}

int generate(struct trace *t, const struct vocabulary *voc, uint64_t seed, size_t count)
{
	struct generator g = { .rng = { seed }, .voc = voc };
	struct step step;
	int err = 0;

	draw_character(&g);
	t->count = 0;
	t->attr_timeout = rng_one_in(&g.rng, 4) ? 0 : TRACE_LONG_TIMEOUT;
	while (count-- && !err) {
		draw_step(&g, &step);
		err = trace_add(t, &step);
	}
	return err;
}
