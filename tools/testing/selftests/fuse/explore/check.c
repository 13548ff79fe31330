// SPDX-License-Identifier: GPL-2.0
/* What every view shows, compared with what it must show. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "runner.h"

/* A known deviation that explains wrong bytes in this view, or NULL. */
static const char *known(struct runner *r, enum actor_id who, enum view_id view,
			 const struct action *action)
{
	if (r->opt.mode >= 0)
		return NULL;
	if (view == FC && model_file(runner_model(r), who, view)->beside_map)
		return "D2";
	/* splice(2), sendfile(2) and tee(2) read what FUSE caches, not the server. */
	if (view_specs[view].mode == SERVER_PASSTHROUGH_DIRECT && action->needs & ACTION_SPLICES)
		return "D4";
	return NULL;
}

/* ... or a read that came back short. */
static const char *known_short(struct runner *r, enum actor_id who, enum view_id view,
			       const struct action *action)
{
	struct model *m = runner_model(r);
	const struct open_file *file = model_file(m, who, view);

	if (action->needs & ACTION_ASYNC && file->fuse && file->mode != SERVER_PASSTHROUGH &&
	    m->times.size_beside && r->opt.mode < 0)
		return "D12";
	return known(r, who, view, action);
}

static enum step_result found_bytes(struct runner *r, enum actor_id who, enum view_id view,
				    const struct action *action, const struct oracle_mismatch *m)
{
	const char *deviation = known(r, who, view, action);
	struct finding *f = &r->shared->finding;

	if (deviation && runner_excuses(r, deviation)) {
		runner_model(r)->views[who][view].tainted = true;
		return STEP_DONE;
	}
	*f = (struct finding) {
		.kind = FOUND_BYTES, .deviation = deviation, .actor = who, .view = view,
		.action = action->name, .bytes = *m,
	};
	return STEP_FOUND;
}

/*
 * Does the backing file system refuse that read by itself? xfs gives EIO to a direct
 * read that goes past end of file into blocks it has only reserved (iomap: "Direct I/O
 * collision with buffered writes").
 */
static bool refused_below(struct runner *r, enum actor_id who, enum view_id view, off_t off,
			  size_t len)
{
	struct view_spec spec = view_specs[view];
	struct view v;
	ssize_t got;

	if (!(model_file(runner_model(r), who, view)->opened & O_DIRECT))
		return false;
	spec.side = VIEW_BACKING;
	if (view_open(&v, &spec, r->shared->backing, 0))
		return false;
	got = r->pread->run(&v, r->shared->seen, len, off);
	view_close(&v);
	return got == -EIO;
}

static enum step_result found_length(struct runner *r, enum actor_id who, enum view_id view,
				     const struct action *action, off_t off, size_t len,
				     ssize_t got, ssize_t want)
{
	struct step step = { .actor = who, .view = view };

	/*
	 * Only a file system that has lost track of a page says that: btrfs of one that was
	 * written back between process_vm_writev(2) or a direct read taking hold of it and
	 * marking it dirty. What is on its disk is old from now on.
	 */
	if (got == -EUCLEAN) {
		r->shared->counts.refused_below++;
		runner_model(r)->lost_below = true;
		return STEP_DONE;
	}
	if (got == -EIO && !view_specs[view].prot && refused_below(r, who, view, off, len)) {
		r->shared->counts.refused_below++;
		return STEP_DONE;
	}
	return runner_found(r, FOUND_RESULT, &step, known_short(r, who, view, action),
			    "%s by %s through %s at [%lld, +%zu) returned %zd%s%s, expected %zd; size is %lld",
			    action->name, actor_names[who], view_specs[view].name,
			    (long long)off, len, got, got < 0 ? " " : "",
			    got < 0 ? strerror(-got) : "", want,
			    (long long)runner_model(r)->oracle.size);
}

/* Pages that a private mapping has copied, from what it holds; the others from the file. */
static bool private_matches(struct model *m, enum actor_id who, const unsigned char *seen,
			    size_t len, off_t off, struct oracle_mismatch *mismatch)
{
	const struct private_pages *p = &m->private[who];
	off_t at = off, end = off + len, next;

	for (; at < end; at = next) {
		next = MIN(end, model_page_up(m, at + 1));
		if (!p->copied[at / m->page]) {
			if (oracle_compare(&m->oracle, seen + (at - off), next - at, at, mismatch))
				return false;
		} else if (memcmp(seen + (at - off), p->bytes + at, next - at)) {
			memset(mismatch, 0, sizeof(*mismatch));
			mismatch->off = at;
			mismatch->len = next - at;
			mismatch->total = next - at;
			memcpy(mismatch->expected, p->bytes + at, MIN(next - at, 16));
			memcpy(mismatch->seen, seen + (at - off), MIN(next - at, 16));
			return false;
		}
	}
	return true;
}

/* @len bytes of [off, ...) were read into @seen: a mapping to the end of its page. */
static enum step_result compare(struct runner *r, enum actor_id who, enum view_id view,
				const struct action *action, const unsigned char *seen,
				size_t len, off_t off)
{
	struct model *m = runner_model(r);
	struct oracle_mismatch mismatch;

	r->shared->counts.comparisons++;
	if (view_specs[view].map_flags & MAP_PRIVATE) {
		if (private_matches(m, who, seen, len, off, &mismatch))
			return STEP_DONE;
	} else if (!oracle_compare(&m->oracle, seen, len, off, &mismatch)) {
		return STEP_DONE;
	}
	return found_bytes(r, who, view, action, &mismatch);
}

/* Bytes a reader gets at @off: to end of file, or of the last page through a mapping. */
static size_t readable(struct model *m, enum view_id view, size_t len, off_t off)
{
	off_t end = m->oracle.size;

	if (view_specs[view].prot)
		end = model_page_up(m, end);
	return off >= end ? 0 : MIN(len, (size_t)(end - off));
}

static enum step_result compare_fd(struct runner *r, struct actor *a, const struct errand *e,
				   enum view_id view)
{
	struct model *m = runner_model(r);
	size_t want = readable(m, view, e->len, e->off);
	ssize_t got;

	if (view_specs[view].side == VIEW_FUSE && e->quiet)
		return STEP_DONE;
	if (m->views[e->who][view].tainted)
		return STEP_DONE;
	got = r->pread->run(&a->views[view], r->shared->seen, e->len, e->off);
	if (got != (ssize_t)want)
		return found_length(r, e->who, view, r->pread, e->off, e->len, got, want);
	return compare(r, e->who, view, r->pread, r->shared->seen, want, e->off);
}

static enum step_result compare_map(struct runner *r, struct actor *a, const struct errand *e,
				    enum view_id view)
{
	struct model *m = runner_model(r);
	const struct model_view *v = &m->views[e->who][view];
	off_t from = MAX(e->off, (off_t)v->off);
	off_t to = MIN(e->off + (off_t)e->len, (off_t)v->off + v->len);
	size_t len;
	ssize_t got;

	if (from >= to)
		return STEP_DONE;
	len = readable(m, view, to - from, from);
	if (!len)
		return STEP_DONE;
	got = r->load->run(&a->views[view], r->shared->seen, len, from);
	if (got != (ssize_t)len)
		return found_length(r, e->who, view, r->load, from, len, got, len);
	return compare(r, e->who, view, r->load, r->shared->seen, len, from);
}

/* In the actor's own process: all of its views. */
static ssize_t compare_views(struct actor *a, void *errand)
{
	const struct errand *e = errand;
	struct model *m = runner_model(e->runner);
	enum step_result result = STEP_DONE;
	int view;

	for (view = 0; view < NR_VIEW_SPECS && result != STEP_FOUND; view++) {
		if (!m->views[e->who][view].open || m->lost_below)
			continue;
		result = view_specs[view].prot ? compare_map(e->runner, a, e, view) :
						 compare_fd(e->runner, a, e, view);
	}
	return result;
}

static bool has_views(const struct model *m, int who)
{
	int view;

	for (view = 0; view < NR_VIEW_SPECS; view++)
		if (m->views[who][view].open)
			return true;
	return false;
}

bool check_range(struct runner *r, size_t len, off_t off, bool quiet)
{
	struct model *m = runner_model(r);
	struct errand e = { .off = off, .len = len, .quiet = quiet, .run = compare_views };
	long result = STEP_DONE;
	int who;

	for (who = 0; who < NR_ACTORS && result != STEP_FOUND; who++) {
		if (!m->alive[who] || !has_views(m, who))
			continue;
		e.who = who;
		result = runner_ask(r, &e);
		if (result < 0)
			result = runner_found(r, FOUND_DEATH, &(struct step) { .actor = who },
					      NULL, "%s died", actor_names[who]);
	}
	return result == STEP_FOUND;
}

enum step_result check_read(struct runner *r, const struct step *step, ssize_t got)
{
	struct model *m = runner_model(r);
	size_t want = readable(m, step->view, step->len, step->off);

	if (got != (ssize_t)want)
		return found_length(r, step->actor, step->view, step->verb->action, step->off,
				    step->len, got, want);
	return compare(r, step->actor, step->view, step->verb->action, r->shared->buf, want,
		       step->off);
}
