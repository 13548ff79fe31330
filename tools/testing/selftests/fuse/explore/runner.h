/* SPDX-License-Identifier: GPL-2.0 */
/* Carries out a history, step by step, and compares every view with the model. */
#ifndef FUSE_EXPLORE_RUNNER_H
#define FUSE_EXPLORE_RUNNER_H

#include "model.h"
#include "sandbox.h"

/* A mask over deviations[]: those that are failures. */
typedef uint32_t deviation_mask;

struct runner_options {
	const char *fs;
	deviation_mask strict;
	int mode;		/* an enum server_mode for every view through FUSE, or -1 */
};

/* Counted over all histories of a runner. */
struct runner_counts {
	uint64_t steps;		/* carried out */
	uint64_t skipped;	/* meant nothing at that point, or the feature is missing */
	uint64_t comparisons;
	uint64_t refused_below;	/* reads that the backing file system refuses by itself, too */
	uint64_t drawn;		/* trace_digest() of what was begun, summed over histories */
	uint64_t deviations[32];/* by index in deviations[] */
};

/* One thing an actor is asked to do; see runner_ask(). */
struct errand {
	struct runner *runner;
	enum actor_id who;
	enum view_id view;
	const struct action *action;
	const struct control *control;
	off_t off;
	size_t len;
	bool quiet;
	ssize_t (*run)(struct actor *a, void *errand);
};

/* What the processes of a runner share. */
struct runner_shared {
	struct actor actors[NR_ACTORS];
	struct errand errand;
	char fuse[PATH_MAX], backing[PATH_MAX];	/* of the file of this history */
	struct model model;
	struct finding finding;
	struct runner_counts counts;
	unsigned char buf[TRACE_ROOM];	/* of the step */
	unsigned char seen[TRACE_ROOM];	/* by the comparison after it */
};

struct runner {
	struct runner_options opt;
	struct sandbox sb;
	struct runner_shared *shared;
	const struct action *pread, *load;
	int backing_fd;			/* of the file of this history */
	unsigned int files;		/* histories begun: names of files */
	bool has_direct;		/* the backing file system takes O_DIRECT */
	bool marks_stores;		/* ... and marks times when mapped pages are stored to */
	char name[32];
	uint32_t pending_from, pending_to;	/* what quiet steps left unread */
	unsigned int since_full;	/* steps since the whole file was compared */
};

/* Bytes around a step's range are compared too: it must not reach beyond. */
#define RUNNER_MARGIN		16
/* Every so many steps the whole file is compared in every view. */
#define RUNNER_FULL_CHECK	256

/*
 * Make sandbox and processes. FOUND_NOTHING, FOUND_UNSUPPORTED or FOUND_TROUBLE
 * with one line in @why.
 */
enum finding_kind runner_create(struct runner *r, const struct runner_options *opt,
				char *why, size_t len);
void runner_destroy(struct runner *r);

/* Begin a history on a fresh file. 0 or -errno. */
int runner_begin(struct runner *r, unsigned int attr_timeout);

/* Carry out one step; true when it found something, see r->shared->finding. */
bool runner_step(struct runner *r, const struct step *step);

/* Compare everything once more, unless something was found. True as above. */
bool runner_finish(struct runner *r);

/* Close and remove the file. */
void runner_end(struct runner *r);

/* --- for the parts of the runner ------------------------------------------ */

enum step_result {
	STEP_SKIPPED,
	STEP_DONE,		/* bytes of [off, off + len) may have changed */
	STEP_FOUND,
};

static inline struct model *runner_model(struct runner *r)
{
	return &r->shared->model;
}

/* Have @e->who do it. What it returned, or -EPIPE. */
long runner_ask(struct runner *r, const struct errand *e);

/* File a finding; @deviation may be NULL. STEP_FOUND, or STEP_DONE if it is excused. */
enum step_result runner_found(struct runner *r, enum finding_kind kind, const struct step *step,
			      const char *deviation, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Is this known deviation to be looked over? Counts it if so. */
bool runner_excuses(struct runner *r, const char *deviation);

/* step_io.c, step_life.c, step_attributes.c; @step's range is set to what was touched. */
enum step_result step_action(struct runner *r, struct step *step);
enum step_result step_control(struct runner *r, struct step *step);
enum step_result step_open(struct runner *r, struct step *step);
enum step_result step_close(struct runner *r, struct step *step);
enum step_result step_fork(struct runner *r, struct step *step);
enum step_result step_end(struct runner *r, struct step *step);
enum step_result step_stat(struct runner *r, struct step *step);
enum step_result step_seek_end(struct runner *r, struct step *step);
enum step_result step_set_times(struct runner *r, struct step *step);
enum step_result step_notify(struct runner *r, struct step *step);
enum step_result step_drop_caches(struct runner *r, struct step *step);

/* check.c: compare a range in every open view of every process. True if something was found. */
bool check_range(struct runner *r, size_t len, off_t off, bool quiet);
/* Compare bytes that an action of a step read. */
enum step_result check_read(struct runner *r, const struct step *step, ssize_t got);

#endif /* FUSE_EXPLORE_RUNNER_H */
