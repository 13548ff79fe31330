// SPDX-License-Identifier: GPL-2.0
/* Steps that open, close, fork, and what the server does by itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

#define ANY_PASSTHROUGH	(1U << SERVER_PASSTHROUGH | 1U << SERVER_PASSTHROUGH_DIRECT)
#define ANY_CACHED	(1U << SERVER_CACHED)

/* Of a FUSE_NOTIFY_STORE: no payload looks like this. */
#define FOREIGN_BYTE	0xff

static ssize_t open_view(struct actor *a, void *errand)
{
	const struct errand *e = errand;
	const struct view_spec *spec = &view_specs[e->view];
	const struct runner_shared *s = e->runner->shared;
	const char *path = spec->side == VIEW_FUSE ? s->fuse : s->backing;

	return view_open_at(&a->views[e->view], spec, path, e->len, e->off);
}

static ssize_t close_view(struct actor *a, void *errand)
{
	const struct errand *e = errand;

	view_close(&a->views[e->view]);
	return 0;
}

static ssize_t close_view_fd(struct actor *a, void *errand)
{
	const struct errand *e = errand;

	return view_close_fd(&a->views[e->view]);
}

static bool openable(struct runner *r, const struct step *step)
{
	const struct view_spec *spec = &view_specs[step->view];
	struct model *m = runner_model(r);

	if (!m->alive[step->actor] || m->views[step->actor][step->view].open)
		return false;
	if (spec->open_flags & O_DIRECT && !r->has_direct)
		return false;
	if (spec->side == VIEW_FUSE && spec->mode != SERVER_PASSTHROUGH &&
	    server_abi(r->sb.server) != SERVER_ABI_MAINLINE)
		return false;
	if (!spec->prot)
		return true;
	return step->len && !(step->off % m->page) && !(step->len % m->page) &&
	       step->off + step->len <= TRACE_ROOM;
}

/*
 * Passthrough never beside cached I/O, nor beside an inode the server wants read
 * and written only through itself (fuse-io.rst, comments of the kernel's iomode.c).
 */
static bool must_be_refused(const struct model *m, enum server_mode mode)
{
	if (1U << mode & ANY_PASSTHROUGH)
		return model_has_mode(m, ANY_CACHED);
	return model_has_mode(m, ANY_PASSTHROUGH);
}

static enum step_result opened(struct runner *r, struct step *step, enum server_mode mode)
{
	struct model *m = runner_model(r);
	bool beside = mode == SERVER_CACHED && model_has_passthrough_map(m);
	struct model_view *v = &m->views[step->actor][step->view];

	model_open(m, step->actor, step->view, mode, step->off, step->len);
	if (r->opt.mode >= 0)
		return STEP_DONE;
	model_file(m, step->actor, step->view)->beside_map = beside;
	/* Cached reads end where FUSE believes the file to end. */
	v->tainted = mode == SERVER_CACHED && m->times.size_beside && m->attr_timeout;
	return STEP_DONE;
}

enum step_result step_open(struct runner *r, struct step *step)
{
	const struct view_spec *spec = &view_specs[step->view];
	enum server_mode mode = r->opt.mode >= 0 ? (enum server_mode)r->opt.mode : spec->mode;
	struct model *m = runner_model(r);
	struct errand e = {
		.who = step->actor, .view = step->view, .off = step->off, .len = step->len,
		.run = open_view,
	};
	bool refused = spec->side == VIEW_FUSE && must_be_refused(m, mode);
	long ret;

	if (!openable(r, step))
		return STEP_SKIPPED;
	server_set_mode(r->sb.server, mode);
	ret = runner_ask(r, &e);
	if (r->opt.mode >= 0 && ret)
		return STEP_SKIPPED;
	/* A cached open beside a mapping may be refused, or be coherent with it (D2). */
	if (ret == -EIO && (refused || (mode == SERVER_CACHED && model_has_passthrough_map(m))))
		return STEP_SKIPPED;
	if (ret || (refused && r->opt.mode < 0))
		return runner_found(r, FOUND_RESULT, step, NULL,
				    "open of %s (%s) by %s returned %s, expected %s", spec->name,
				    server_mode_name(mode), actor_names[step->actor],
				    ret ? strerror(-ret) : "success",
				    refused ? strerror(EIO) : "success");
	return opened(r, step, mode);
}

enum step_result step_close(struct runner *r, struct step *step)
{
	struct model *m = runner_model(r);
	const struct model_view *v = &m->views[step->actor][step->view];
	bool keep = step->verb->kind == VERB_CLOSE_FD && view_specs[step->view].prot;
	struct errand e = {
		.who = step->actor, .view = step->view, .run = keep ? close_view_fd : close_view,
	};
	long ret;

	if (!m->alive[step->actor] || !v->open || (keep && !v->has_fd))
		return STEP_SKIPPED;
	ret = runner_ask(r, &e);
	if (ret)
		return runner_found(r, FOUND_RESULT, step, NULL, "close of %s by %s returned %s",
				    view_specs[step->view].name, actor_names[step->actor],
				    strerror(-ret));
	if (keep)
		model_close_fd(m, step->actor, step->view);
	else
		model_close(m, step->actor, step->view);
	return STEP_DONE;
}

enum step_result step_fork(struct runner *r, struct step *step)
{
	int err;

	if (runner_model(r)->alive[CHILD])
		return STEP_SKIPPED;
	err = actor_fork(&r->shared->actors[CHILD], actor_names[CHILD], &r->shared->actors[SELF],
			 server_device(r->sb.server));
	if (err)
		return runner_found(r, FOUND_TROUBLE, step, NULL, "fork: %s", strerror(-err));
	model_fork(runner_model(r));
	return STEP_DONE;
}

enum step_result step_end(struct runner *r, struct step *step)
{
	(void)step;
	if (!runner_model(r)->alive[CHILD])
		return STEP_SKIPPED;
	actor_end(&r->shared->actors[CHILD]);
	model_end(runner_model(r));
	return STEP_DONE;
}

/* --- the server's own doing --------------------------------------------------- */

enum step_result step_notify(struct runner *r, struct step *step)
{
	struct model *m = runner_model(r);
	int err;

	if (!step->len || step->off + (off_t)step->len > m->oracle.size)
		return STEP_SKIPPED;
	if (step->verb->kind == VERB_INVALIDATE) {
		err = server_notify_inval(r->sb.server, r->name, step->off, step->len);
		/* Attributes go with it; nothing the model says changes. */
	} else {
		memset(r->shared->buf, FOREIGN_BYTE, step->len);
		err = server_notify_store(r->sb.server, r->name, step->off, r->shared->buf,
					  step->len);
		/* What FUSE caches is the server's business; the file is not changed. */
		model_taint_cached(m);
	}
	/* An inode the kernel has not looked up, or a kernel without the notification. */
	if (err == -ENOENT || err == -EINVAL || err == -ENOSYS)
		return STEP_SKIPPED;
	if (err)
		return runner_found(r, FOUND_RESULT, step, NULL, "%s returned %s",
				    step->verb->name, strerror(-err));
	return STEP_DONE;
}

enum step_result step_drop_caches(struct runner *r, struct step *step)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, "1", 1) == 1;

	(void)r;
	(void)step;
	if (fd >= 0)
		close(fd);
	return done ? STEP_DONE : STEP_SKIPPED;
}
