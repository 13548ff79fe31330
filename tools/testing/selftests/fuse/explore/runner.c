// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi.h"
#include "deviation.h"
#include "runner.h"

/* A fresh file: data, a hole, data, and its end inside a page of any usual size. */
#define DATA_END	(3 * 4096)
#define HOLE_END	(5 * 4096)
#define FIRST_SIZE	(6 * 4096 + 2125)

/* --- sandbox and processes ---------------------------------------------------- */

/* O_DIRECT is a feature of the backing file system; ask it alone. */
static bool probe_direct(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

	unlink(path);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Is mtime marked by the msync(2) after a store, on the backing file alone? tmpfs does not. */
static bool stores_mark(int fd)
{
	const struct timespec old[2] = { { 1, 0 }, { 1, 0 } };
	size_t page = sysconf(_SC_PAGESIZE);
	bool marks = false;
	struct stat st;
	char *map;

	if (ftruncate(fd, page))
		return false;
	map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	*(volatile char *)map = 1;
	if (!msync(map, page, MS_SYNC) && !futimens(fd, old)) {
		*(volatile char *)map = 2;
		marks = !msync(map, page, MS_SYNC) && !fstat(fd, &st) && st.st_mtim.tv_sec != 1;
	}
	munmap(map, page);
	return marks;
}

static bool probe_marks(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool marks;

	unlink(path);
	if (fd < 0)
		return false;
	marks = stores_mark(fd);
	close(fd);
	return marks;
}

static enum finding_kind make_sandbox(struct runner *r, char *why, size_t len)
{
	struct sandbox_options opt = {
		.fs = r->opt.fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = TRACE_LONG_TIMEOUT,
			.entry_timeout = TRACE_LONG_TIMEOUT,
		},
	};
	enum sandbox_result result = sandbox_create(&r->sb, &opt);

	if (result != SANDBOX_OK) {
		snprintf(why, len, "%s", r->sb.why);
		return result == SANDBOX_UNSUPPORTED ? FOUND_UNSUPPORTED : FOUND_TROUBLE;
	}
	if (server_abi(r->sb.server) == SERVER_ABI_NONE) {
		snprintf(why, len, "this kernel has no FUSE passthrough (CONFIG_FUSE_PASSTHROUGH, Linux 6.9)");
		sandbox_destroy(&r->sb);
		return FOUND_UNSUPPORTED;
	}
	/* Before each write(2) the kernel asks for file capabilities, until it is told so. */
	server_fail(r->sb.server, FUSE_GETXATTR, ENOSYS, UINT_MAX);
	return FOUND_NOTHING;
}

static int make_processes(struct runner *r)
{
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED) {
		r->shared = NULL;
		return -errno;
	}
	if (oracle_init(&runner_model(r)->oracle, TRACE_ROOM))
		return -ENOMEM;
	actor_self(&r->shared->actors[SELF]);
	return actor_fork(&r->shared->actors[OTHER], actor_names[OTHER], NULL,
			  server_device(r->sb.server));
}

enum finding_kind runner_create(struct runner *r, const struct runner_options *opt,
				char *why, size_t len)
{
	enum finding_kind kind;
	char probe[PATH_MAX];
	int err;

	memset(r, 0, sizeof(*r));
	r->opt = *opt;
	r->backing_fd = -1;
	r->pread = action_find("pread");
	r->load = action_find("load");
	kind = make_sandbox(r, why, len);
	if (kind != FOUND_NOTHING)
		return kind;
	snprintf(probe, sizeof(probe), "%.4000s/probe", r->sb.backing);
	r->has_direct = probe_direct(probe);
	r->marks_stores = probe_marks(probe);
	err = make_processes(r);
	if (err) {
		snprintf(why, len, "making processes: %s", strerror(-err));
		runner_destroy(r);
		return FOUND_TROUBLE;
	}
	return FOUND_NOTHING;
}

void runner_destroy(struct runner *r)
{
	if (r->shared) {
		actor_end(&r->shared->actors[CHILD]);
		actor_end(&r->shared->actors[OTHER]);
		oracle_free(&runner_model(r)->oracle);
		munmap(r->shared, sizeof(*r->shared));
	}
	sandbox_destroy(&r->sb);
	memset(r, 0, sizeof(*r));
}

long runner_ask(struct runner *r, const struct errand *e)
{
	r->shared->errand = *e;
	r->shared->errand.runner = r;
	return actor_call(&r->shared->actors[e->who], e->run, &r->shared->errand);
}

/* --- findings ------------------------------------------------------------------- */

bool runner_excuses(struct runner *r, const char *deviation)
{
	const struct deviation *d = deviation ? deviation_find(deviation) : NULL;
	unsigned int i = d ? d - deviations : 0;

	if (!d || r->opt.strict & 1U << i)
		return false;
	r->shared->counts.deviations[i]++;
	return true;
}

enum step_result runner_found(struct runner *r, enum finding_kind kind, const struct step *step,
			      const char *deviation, const char *fmt, ...)
{
	struct finding *f = &r->shared->finding;
	va_list args;

	if (runner_excuses(r, deviation))
		return STEP_DONE;
	*f = (struct finding) {
		.kind = kind, .deviation = deviation, .actor = step->actor, .view = step->view,
	};
	va_start(args, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, args);
	va_end(args);
	return STEP_FOUND;
}

/* --- a history -------------------------------------------------------------------- */

static int lay_out(struct runner *r)
{
	const uint32_t ranges[][2] = {
		{ 0, DATA_END }, { HOLE_END, FIRST_SIZE - HOLE_END },
	};
	struct oracle *o = &runner_model(r)->oracle;
	size_t i;

	for (i = 0; i < 2; i++) {
		oracle_payload(o, r->shared->buf, ranges[i][1], ranges[i][0]);
		errno = EIO;
		if (pwrite(r->backing_fd, r->shared->buf, ranges[i][1], ranges[i][0]) !=
		    ranges[i][1])
			return -errno;
		oracle_wrote(o, "self", "the backing file", "layout", ranges[i][1], ranges[i][0]);
	}
	return 0;
}

static int set_old_times(struct runner *r)
{
	const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct stat st;

	if (futimens(r->backing_fd, old) || fstat(r->backing_fd, &st))
		return -errno;
	model_set_times(runner_model(r), VIEW_FUSE, &st.st_ctim);
	return 0;
}

int runner_begin(struct runner *r, unsigned int attr_timeout)
{
	int err;

	model_reset(runner_model(r), attr_timeout);
	memset(&r->shared->finding, 0, sizeof(r->shared->finding));
	r->pending_from = 0;
	r->pending_to = 0;
	r->since_full = 0;
	snprintf(r->name, sizeof(r->name), "file%u", r->files++);
	snprintf(r->shared->fuse, sizeof(r->shared->fuse), "%.4000s/%s", r->sb.mnt, r->name);
	snprintf(r->shared->backing, sizeof(r->shared->backing), "%.4000s/%s", r->sb.backing,
		 r->name);
	server_set_timeouts(r->sb.server, attr_timeout, attr_timeout);
	r->backing_fd = open(r->shared->backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (r->backing_fd < 0)
		return -errno;
	err = lay_out(r);
	return err ? err : set_old_times(r);
}

static enum step_result carry_out(struct runner *r, struct step *step)
{
	switch (step->verb->kind) {
	case VERB_ACTION:
		return step_action(r, step);
	case VERB_CONTROL:
		return step_control(r, step);
	case VERB_OPEN:
		return step_open(r, step);
	case VERB_CLOSE:
	case VERB_CLOSE_FD:
		return step_close(r, step);
	case VERB_FORK:
		return step_fork(r, step);
	case VERB_END:
		return step_end(r, step);
	case VERB_STAT:
		return step_stat(r, step);
	case VERB_SEEK_END:
		return step_seek_end(r, step);
	case VERB_SET_TIMES:
		return step_set_times(r, step);
	case VERB_INVALIDATE:
	case VERB_STORE_CACHE:
		return step_notify(r, step);
	case VERB_DROP_CACHES:
		return step_drop_caches(r, step);
	case VERB_CHECK:
		r->since_full = RUNNER_FULL_CHECK;
		return STEP_DONE;
	}
	return STEP_SKIPPED;
}

/* Look at what the step touched, and at what quiet ones before it left. */
static bool check_after(struct runner *r, const struct step *step)
{
	uint32_t from = step->off > RUNNER_MARGIN ? step->off - RUNNER_MARGIN : 0;
	uint32_t to = MIN(step->off + step->len + RUNNER_MARGIN, (uint32_t)TRACE_ROOM);

	/* It reads far more than was touched; histories without it stay quiet throughout. */
	if (++r->since_full >= RUNNER_FULL_CHECK && !step->quiet) {
		r->since_full = 0;
		r->pending_to = 0;
		return check_range(r, TRACE_ROOM, 0, false);
	}
	if (!step->quiet && r->pending_to) {
		from = MIN(from, r->pending_from);
		to = MAX(to, r->pending_to);
		r->pending_to = 0;
	}
	if (check_range(r, to - from, from, step->quiet))
		return true;
	if (step->quiet) {
		r->pending_from = r->pending_to ? MIN(from, r->pending_from) : from;
		r->pending_to = MAX(to, r->pending_to);
	}
	return false;
}

static bool has_range(const struct step *step)
{
	return step->verb->args & VERB_HAS_OFF || step->verb->kind == VERB_CHECK;
}

bool runner_step(struct runner *r, const struct step *original)
{
	enum step_result result = STEP_SKIPPED;
	struct step step = *original;

	if (!runner_model(r)->lost_below)
		result = carry_out(r, &step);
	if (result == STEP_SKIPPED) {
		r->shared->counts.skipped++;
		return false;
	}
	r->shared->counts.steps++;
	if (result == STEP_FOUND)
		return true;
	return has_range(&step) && check_after(r, &step);
}

bool runner_finish(struct runner *r)
{
	return check_range(r, TRACE_ROOM, 0, false);
}

static ssize_t close_all(struct actor *a, void *errand)
{
	int view;

	(void)errand;
	for (view = 0; view < NR_VIEW_SPECS; view++)
		view_close(&a->views[view]);
	return 0;
}

void runner_end(struct runner *r)
{
	struct errand e = { .run = close_all };

	if (runner_model(r)->alive[CHILD])
		actor_end(&r->shared->actors[CHILD]);
	e.who = SELF;
	runner_ask(r, &e);
	e.who = OTHER;
	runner_ask(r, &e);
	if (r->backing_fd >= 0)
		close(r->backing_fd);
	r->backing_fd = -1;
	unlink(r->shared->fuse);
	unlink(r->shared->backing);
}
