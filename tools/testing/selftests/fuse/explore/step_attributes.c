// SPDX-License-Identifier: GPL-2.0
/*
 * Steps that look at size and times, or set times.
 *
 * FUSE must show what the server would answer, which is what the backing file
 * has. It may be late where the file was changed beside FUSE while attributes are
 * cached (by design), or where a store owes its times to no flush yet (mmap(2)).
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner.h"

/* 2001-09-09 01:46:40 UTC: long ago, and no file system rounds it. */
#define OLD_SECONDS	1000000000

static ssize_t stat_view(struct actor *a, void *errand)
{
	const struct errand *e = errand;

	return fstat(a->views[e->view].fd, (struct stat *)e->runner->shared->buf) ? -errno : 0;
}

static ssize_t seek_view(struct actor *a, void *errand)
{
	const struct errand *e = errand;
	off_t end = lseek(a->views[e->view].fd, 0, SEEK_END);

	return end < 0 ? -errno : end;
}

static ssize_t set_view_times(struct actor *a, void *errand)
{
	const struct errand *e = errand;
	const struct timespec old[2] = { { OLD_SECONDS, 0 }, { OLD_SECONDS, 0 } };

	return futimens(a->views[e->view].fd, old) ? -errno : 0;
}

static bool has_fd(struct runner *r, const struct step *step)
{
	const struct model *m = runner_model(r);

	return m->alive[step->actor] && m->views[step->actor][step->view].open &&
	       m->views[step->actor][step->view].has_fd;
}

static bool same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_old(const struct timespec *t)
{
	return t->tv_sec == OLD_SECONDS && !t->tv_nsec;
}

/* The backing file by itself: moved when it must have, not when nothing moves it. */
static enum step_result check_backing(struct runner *r, const struct step *step,
				      const struct stat *st)
{
	struct model *m = runner_model(r);
	const struct model_times *t = &m->times;

	if (st->st_size != m->oracle.size)
		return runner_found(r, FOUND_ATTRIBUTES, step, NULL,
				    "the backing file has %lld bytes, expected %lld",
				    (long long)st->st_size, (long long)m->oracle.size);
	if (t->must_move && (r->marks_stores || !t->promised) && is_old(&st->st_mtim))
		return runner_found(r, FOUND_ATTRIBUTES, step, NULL,
				    "mtime of the backing file did not move with what was written");
	if (!t->may_move && (!is_old(&st->st_mtim) || !same(&st->st_ctim, &t->change)))
		return runner_found(r, FOUND_ATTRIBUTES, step, NULL,
				    "%s of the backing file moved though nothing was written",
				    is_old(&st->st_mtim) ? "ctime" : "mtime");
	return STEP_DONE;
}

static enum step_result check_fuse_size(struct runner *r, const struct step *step, off_t size)
{
	struct model *m = runner_model(r);

	if (size == m->oracle.size) {
		m->times.size_beside = false;
		return STEP_DONE;
	}
	if (m->times.size_beside && m->attr_timeout)
		return STEP_DONE;
	return runner_found(r, FOUND_ATTRIBUTES, step, NULL,
			    "%s by %s through %s says %lld bytes, expected %lld",
			    step->verb->name, actor_names[step->actor],
			    view_specs[step->view].name, (long long)size,
			    (long long)m->oracle.size);
}

static enum step_result check_fuse_times(struct runner *r, const struct step *step,
					 const struct stat *fuse, const struct stat *back)
{
	struct model_times *t = &runner_model(r)->times;
	bool mtime = same(&fuse->st_mtim, &back->st_mtim);

	if (mtime && same(&fuse->st_ctim, &back->st_ctim)) {
		t->beside = false;
		t->owed = false;
		t->due = false;
		return STEP_DONE;
	}
	if (runner_model(r)->attr_timeout && (t->beside || (t->owed && !t->due)))
		return STEP_DONE;
	return runner_found(r, FOUND_ATTRIBUTES, step,
			    t->owed && runner_model(r)->attr_timeout ? "D1" : NULL,
			    "stat by %s through %s keeps an old %s: %lld.%09ld, the backing file has %lld.%09ld",
			    actor_names[step->actor], view_specs[step->view].name,
			    mtime ? "ctime" : "mtime",
			    (long long)(mtime ? fuse->st_ctim : fuse->st_mtim).tv_sec,
			    (mtime ? fuse->st_ctim : fuse->st_mtim).tv_nsec,
			    (long long)(mtime ? back->st_ctim : back->st_mtim).tv_sec,
			    (mtime ? back->st_ctim : back->st_mtim).tv_nsec);
}

enum step_result step_stat(struct runner *r, struct step *step)
{
	struct errand e = { .who = step->actor, .view = step->view, .run = stat_view };
	const struct stat *fuse = (const struct stat *)r->shared->buf;
	enum step_result result;
	struct stat back;
	long ret;

	if (!has_fd(r, step))
		return STEP_SKIPPED;
	ret = runner_ask(r, &e);
	if (ret || fstat(r->backing_fd, &back))
		return runner_found(r, FOUND_RESULT, step, NULL, "stat by %s through %s: %s",
				    actor_names[step->actor], view_specs[step->view].name,
				    strerror(ret ? -ret : errno));
	result = check_backing(r, step, &back);
	if (result == STEP_FOUND || view_specs[step->view].side == VIEW_BACKING ||
	    r->opt.mode >= 0)
		return result;
	result = check_fuse_size(r, step, fuse->st_size);
	return result == STEP_FOUND ? result : check_fuse_times(r, step, fuse, &back);
}

enum step_result step_seek_end(struct runner *r, struct step *step)
{
	struct errand e = { .who = step->actor, .view = step->view, .run = seek_view };
	long end;

	if (!has_fd(r, step) || r->opt.mode >= 0)
		return STEP_SKIPPED;
	end = runner_ask(r, &e);
	if (end < 0)
		return runner_found(r, FOUND_RESULT, step, NULL, "seek-end by %s through %s: %s",
				    actor_names[step->actor], view_specs[step->view].name,
				    strerror(-end));
	if (view_specs[step->view].side == VIEW_FUSE)
		return check_fuse_size(r, step, end);
	return STEP_DONE;
}

enum step_result step_set_times(struct runner *r, struct step *step)
{
	struct errand e = { .who = step->actor, .view = step->view, .run = set_view_times };
	struct model *m = runner_model(r);
	struct stat back;
	long ret;

	if (!has_fd(r, step))
		return STEP_SKIPPED;
	ret = runner_ask(r, &e);
	if (ret || fstat(r->backing_fd, &back))
		return runner_found(r, FOUND_RESULT, step, NULL, "set-times by %s through %s: %s",
				    actor_names[step->actor], view_specs[step->view].name,
				    strerror(ret ? -ret : errno));
	model_set_times(m, view_specs[step->view].side, &back.st_ctim);
	return STEP_DONE;
}
