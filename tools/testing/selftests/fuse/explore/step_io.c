// SPDX-License-Identifier: GPL-2.0
/* Steps that move bytes, truncate, punch, flush, advise. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner.h"

static ssize_t run_action(struct actor *a, void *errand)
{
	const struct errand *e = errand;

	return e->action->run(&a->views[e->view], e->runner->shared->buf, e->len, e->off);
}

static ssize_t run_control(struct actor *a, void *errand)
{
	const struct errand *e = errand;

	return e->control->run(&a->views[e->view], e->control, e->off, e->len);
}

static struct errand errand_of(struct runner *r, const struct step *step)
{
	return (struct errand) {
		.runner = r, .who = step->actor, .view = step->view, .off = step->off,
		.len = step->len, .action = step->verb->action, .control = step->verb->control,
		.run = step->verb->action ? run_action : run_control,
	};
}

/* Is the view there, in the form the verb needs? */
static bool usable(struct model *m, const struct step *step)
{
	const struct model_view *v = &m->views[step->actor][step->view];

	if (!m->alive[step->actor] || !v->open || !step->len)
		return false;
	if (step->verb->needs & ACTION_ON_MAP)
		return view_specs[step->view].prot;
	return !view_specs[step->view].prot;
}

/* Cut the range to the window of a mapping. False if nothing is left. */
static bool cut_to_window(struct model *m, struct step *step)
{
	const struct model_view *v = &m->views[step->actor][step->view];
	uint32_t from = MAX(step->off, v->off);
	uint32_t to = MIN(step->off + step->len, v->off + v->len);

	step->off = from;
	step->len = to > from ? to - from : 0;
	return step->len;
}

/* --- through a mapping ------------------------------------------------------ */

static enum step_result expect_fault(struct runner *r, struct step *step)
{
	struct errand e = errand_of(r, step);
	long ret = runner_ask(r, &e);

	/* EIO is what /proc/PID/mem says. */
	if (ret == -EFAULT || (ret == -EIO && step->verb->action->run != r->load->run))
		return STEP_DONE;
	return runner_found(r, FOUND_RESULT, step, NULL,
			    "%s by %s through %s at [%u, +%u) returned %ld, not SIGBUS or SIGSEGV; size is %lld",
			    step->verb->name, actor_names[step->actor],
			    view_specs[step->view].name, step->off, step->len, ret,
			    (long long)runner_model(r)->oracle.size);
}

static enum step_result store_bytes(struct runner *r, struct step *step)
{
	const struct view_spec *spec = &view_specs[step->view];
	struct model *m = runner_model(r);
	struct errand e;
	long ret;

	if (!(spec->prot & PROT_WRITE))
		return expect_fault(r, step);
	/* What is stored behind end of file in the last page is nobody's (mmap(2)). */
	if (step->off >= m->oracle.size)
		return STEP_SKIPPED;
	step->len = MIN(step->len, m->oracle.size - step->off);
	oracle_payload(&m->oracle, r->shared->buf, step->len, step->off);
	e = errand_of(r, step);
	ret = runner_ask(r, &e);
	if (ret != step->len)
		return runner_found(r, FOUND_RESULT, step, NULL,
				    "%s by %s through %s at [%u, +%u) returned %ld (%s)",
				    step->verb->name, actor_names[step->actor], spec->name,
				    step->off, step->len,
				    ret, strerror(ret < 0 ? -ret : 0));
	if (spec->map_flags & MAP_PRIVATE)
		model_stored_privately(m, step->actor, r->shared->buf, step->len, step->off);
	else
		model_wrote(m, step->actor, step->view, step->verb->name, step->len, step->off);
	return STEP_DONE;
}

static enum step_result load(struct runner *r, struct step *step)
{
	struct errand e;
	long ret;

	/* Partly behind the last page: the part before it. */
	step->len = MIN(step->len, model_page_up(runner_model(r), runner_model(r)->oracle.size) -
			step->off);
	e = errand_of(r, step);
	ret = runner_ask(r, &e);
	return check_read(r, step, ret);
}

static enum step_result through_map(struct runner *r, struct step *step)
{
	struct model *m = runner_model(r);

	if (!cut_to_window(m, step))
		return STEP_SKIPPED;
	if (step->off >= model_page_up(m, m->oracle.size))
		return expect_fault(r, step);
	return step->verb->action->kind == ACTION_READ ? load(r, step) : store_bytes(r, step);
}

/* --- through a descriptor --------------------------------------------------- */

/* action_fits() for the flags that the open file has by now. */
static bool fits(struct runner *r, const struct step *step, off_t off)
{
	const struct open_file *file = model_file(runner_model(r), step->actor, step->view);
	struct view_spec now = view_specs[step->view];

	now.open_flags = file->flags;
	return action_fits(step->verb->action, &now, off, step->len,
			   runner_model(r)->oracle.size);
}

/*
 * As it was before the step: what landed at the end goes, and so does the part of
 * a direct write that iomap carried out before it refused the rest as unaligned.
 */
static bool put_back(struct runner *r, const struct step *step)
{
	const struct oracle *o = &runner_model(r)->oracle;
	ssize_t len = MIN((off_t)step->len, o->size - step->off);

	if (ftruncate(r->backing_fd, o->size))
		return false;
	return len <= 0 || pwrite(r->backing_fd, o->bytes + step->off, len, step->off) == len;
}

/*
 * A descriptor whose flags were changed after open(2) (D3): did the write land at
 * the end of the file, or fail as if O_DIRECT were still set? Excused, the file is
 * put back as it was.
 */
static enum step_result drifted(struct runner *r, struct step *step, long ret, const char *how)
{
	struct model *m = runner_model(r);
	enum step_result result;

	result = runner_found(r, FOUND_RESULT, step, "D3",
			      "%s by %s through %s at [%u, +%u) after fcntl(F_SETFL) %s (returned %ld); size was %lld",
			      step->verb->name, actor_names[step->actor],
			      view_specs[step->view].name, step->off, step->len, how, ret,
			      (long long)m->oracle.size);
	if (result == STEP_FOUND)
		return result;
	if (step->verb->action->kind == ACTION_WRITE && !put_back(r, step))
		return runner_found(r, FOUND_TROUBLE, step, NULL, "putting the file back: %s",
				    strerror(errno));
	m->times.beside = true;
	m->times.size_beside = true;
	m->times.may_move = true;
	m->times.clean = false;
	model_taint_cached(m);
	return STEP_DONE;
}

static enum step_result read_fd(struct runner *r, struct step *step)
{
	const struct open_file *file = model_file(runner_model(r), step->actor, step->view);
	const struct action *action = step->verb->action;
	struct errand e = errand_of(r, step);
	long ret;

	if (!fits(r, step, step->off) || runner_model(r)->views[step->actor][step->view].tainted)
		return STEP_SKIPPED;
	/* Without passthrough, splice(2) of a direct descriptor reads a cache of its own. */
	if (step->view == FN && action->needs & ACTION_SPLICES)
		return STEP_SKIPPED;
	/* Asynchronous direct reads end where FUSE believes the file to end (D6, by design). */
	if (file->mode != SERVER_PASSTHROUGH && action != r->pread && file->fuse &&
	    runner_model(r)->times.size_beside && runner_model(r)->attr_timeout)
		return STEP_SKIPPED;
	ret = runner_ask(r, &e);
	if (action_declined(action, ret))
		return STEP_SKIPPED;
	if (file->opened & ~file->flags & O_DIRECT && ret == -EINVAL)
		return drifted(r, step, ret, "clearing O_DIRECT was refused as unaligned");
	return check_read(r, step, ret);
}

static bool landed_at_end(struct runner *r, const struct step *step)
{
	off_t size = runner_model(r)->oracle.size;
	struct stat st;

	return step->off != size && !fstat(r->backing_fd, &st) &&
	       st.st_size == size + step->len;
}

static enum step_result write_fd(struct runner *r, struct step *step)
{
	const struct action *action = step->verb->action;
	struct model *m = runner_model(r);
	const struct open_file *file = model_file(m, step->actor, step->view);
	bool append = action->needs & ACTION_AT_EOF || file->flags & O_APPEND;
	struct errand e;
	long ret;

	/* Where the server writes, end of file is what FUSE remembers of it. */
	if (append && file->fuse && file->mode != SERVER_PASSTHROUGH)
		return STEP_SKIPPED;
	if (append)
		step->off = m->oracle.size;
	if (step->off + step->len > TRACE_ROOM || !fits(r, step, step->off))
		return STEP_SKIPPED;
	oracle_payload(&m->oracle, r->shared->buf, step->len, step->off);
	e = errand_of(r, step);
	ret = runner_ask(r, &e);
	if (file->opened & ~file->flags & O_DIRECT && ret == -EINVAL)
		return drifted(r, step, ret, "clearing O_DIRECT was refused as unaligned");
	/* ESPIPE: the offset of splice(2) went where the bytes went, not where they belong. */
	if (file->opened & ~file->flags & O_APPEND && (ret == step->len || ret == -ESPIPE) &&
	    landed_at_end(r, step))
		return drifted(r, step, ret, "clearing O_APPEND still appended");
	if (ret != step->len)
		return runner_found(r, FOUND_RESULT, step, NULL,
				    "%s by %s through %s at [%u, +%u) returned %ld%s%s",
				    action->name, actor_names[step->actor],
				    view_specs[step->view].name, step->off, step->len, ret,
				    ret < 0 ? " " : "", ret < 0 ? strerror(-ret) : "");
	model_wrote(m, step->actor, step->view, action->name, step->len, step->off);
	return STEP_DONE;
}

enum step_result step_action(struct runner *r, struct step *step)
{
	if (!usable(runner_model(r), step) || action_missing(step->verb->action))
		return STEP_SKIPPED;
	if (step->verb->needs & ACTION_ON_MAP)
		return through_map(r, step);
	return step->verb->action->kind == ACTION_READ ? read_fd(r, step) : write_fd(r, step);
}

/* --- controls ---------------------------------------------------------------- */

/* Whole pages of the window; what faults pages in must find them in the file. */
static bool fit_to_map(struct runner *r, struct step *step)
{
	const struct control *c = step->verb->control;
	struct model *m = runner_model(r);
	uint32_t page = m->page, end = step->off + step->len;
	bool faults = strstr(c->name, "populate") || strstr(c->name, "mlock");

	step->off -= step->off % page;
	step->len = model_page_up(m, end) - step->off;
	if (!cut_to_window(m, step))
		return false;
	if (faults && step->off + step->len > model_page_up(m, m->oracle.size))
		return false;
	if (view_specs[step->view].map_flags & MAP_PRIVATE)
		/* mlock(2) copies pages of a private mapping, MADV_REMOVE is refused there */
		return !strstr(c->name, "mlock") && c->effect != CONTROL_ZEROES;
	return c->effect != CONTROL_ZEROES || view_specs[step->view].prot & PROT_WRITE;
}

static bool fit_to_fd(struct runner *r, struct step *step)
{
	const struct control *c = step->verb->control;
	struct open_file *file = model_file(runner_model(r), step->actor, step->view);

	if (c->effect == CONTROL_SETS_FLAG || c->effect == CONTROL_CLEARS_FLAG) {
		/* O_DIRECT only where it was asked for: it wants every read aligned. */
		if (c->flag == O_DIRECT && !(file->opened & O_DIRECT))
			return false;
		return file->fuse && file->mode == SERVER_PASSTHROUGH;
	}
	if (c->effect >= CONTROL_RESERVES && (file->opened & O_ACCMODE) == O_RDONLY)
		return false;
	return c->effect == CONTROL_RESIZES || step->off + step->len <= TRACE_ROOM;
}

enum step_result step_control(struct runner *r, struct step *step)
{
	const struct control *c = step->verb->control;
	struct model *m = runner_model(r);
	uint32_t size = m->oracle.size;
	struct errand e;
	long ret;

	if (!usable(m, step))
		return STEP_SKIPPED;
	if (!(c->needs & ACTION_ON_MAP ? fit_to_map(r, step) : fit_to_fd(r, step)))
		return STEP_SKIPPED;
	e = errand_of(r, step);
	ret = runner_ask(r, &e);
	if (control_declined(c, ret))
		return STEP_SKIPPED;
	if (ret)
		return runner_found(r, FOUND_RESULT, step, NULL,
				    "%s by %s through %s at [%u, +%u) returned %s; size is %u",
				    c->name, actor_names[step->actor],
				    view_specs[step->view].name, step->off, step->len,
				    strerror(-ret), size);
	model_controlled(m, step->actor, step->view, c, step->len, step->off);
	/* Both sides of what became the end of the file. */
	if (c->effect == CONTROL_RESIZES) {
		step->off = MIN(size, step->off);
		step->len = MIN(MAX(size, (uint32_t)m->oracle.size) - step->off + m->page,
				TRACE_ROOM - step->off);
	}
	return STEP_DONE;
}
