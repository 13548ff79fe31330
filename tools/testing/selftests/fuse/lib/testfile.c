// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backing_probe.h"
#include "testfile.h"

#ifndef __NR_cachestat
#define __NR_cachestat	451	/* the same number on every architecture but alpha */
#endif

struct testfile *testfile_new(const struct report_case *report)
{
	struct testfile *tf = mmap(NULL, sizeof(*tf) + TESTFILE_ROOM, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char why[128];
	int err;

	if (tf == MAP_FAILED)
		return NULL;
	tf->buf = (unsigned char *)(tf + 1);
	tf->report = *report;
	tf->views = ALL_VIEWS;
	tf->slow = getenv("KSFT_MACHINE_SLOW");
	if (backing_probe_direct(report->sb, why, sizeof(why)) != SANDBOX_OK)
		tf->views &= ~VIEW_BIT(FD);
	actor_self(&tf->actors[SELF]);
	err = oracle_init(&tf->oracle, TESTFILE_ROOM);
	if (!err)
		err = actor_fork(&tf->actors[OTHER], "other", NULL,
				 server_device(report->sb->server));
	if (!err)
		return tf;
	testfile_free(tf);
	errno = -err;
	return NULL;
}

void testfile_free(struct testfile *tf)
{
	if (!tf)
		return;
	testfile_remove(tf);
	actor_end(&tf->actors[OTHER]);
	oracle_free(&tf->oracle);
	munmap(tf, sizeof(*tf) + TESTFILE_ROOM);
}

/* Written on the backing file before FUSE has heard of it. */
static int lay_out(struct testfile *tf, int fd)
{
	const long page = sysconf(_SC_PAGESIZE);
	const off_t ranges[][2] = {
		{ 0, 3 * page },
		{ 5 * page, TESTFILE_SIZE - 5 * page },
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		off_t off = ranges[i][0];
		size_t len = ranges[i][1];

		oracle_payload(&tf->oracle, tf->buf, len, off);
		if (pwrite(fd, tf->buf, len, off) != (ssize_t)len)
			return errno ? -errno : -EIO;
		oracle_wrote(&tf->oracle, "self", "the backing file", "layout", len, off);
	}
	return 0;
}

static int lay_out_path(struct testfile *tf, int flags)
{
	int fd = open(tf->backing, O_RDWR | O_CLOEXEC | flags, 0644);
	int err;

	if (fd < 0)
		return -errno;
	oracle_reset(&tf->oracle);
	err = lay_out(tf, fd);
	close(fd);
	return err;
}

int testfile_create(struct testfile *tf, const char *name)
{
	snprintf(tf->fuse, sizeof(tf->fuse), "%.4000s/%s", tf->report.sb->mnt, name);
	snprintf(tf->backing, sizeof(tf->backing), "%.4000s/%s", tf->report.sb->backing, name);
	return lay_out_path(tf, O_CREAT | O_EXCL);
}

int testfile_renew(struct testfile *tf)
{
	return lay_out_path(tf, O_TRUNC);
}

static ssize_t ask(struct testfile *tf, enum actor_id who,
		   ssize_t (*fn)(struct actor *a, void *arg), struct testfile_request req)
{
	tf->request = req;
	return actor_call(&tf->actors[who], fn, tf);
}

static ssize_t open_views(struct actor *a, void *arg)
{
	struct testfile *tf = arg;
	const char *path;
	enum view_id id;
	int err;

	for (id = 0; id < NR_VIEWS; id++) {
		if (!(tf->request.views & VIEW_BIT(id)))
			continue;
		path = view_specs[id].side == VIEW_FUSE ? tf->fuse : tf->backing;
		err = view_open(&a->views[id], &view_specs[id], path, TESTFILE_ROOM);
		if (err)
			return err;
	}
	return 0;
}

int testfile_open(struct testfile *tf, enum actor_id who, unsigned int ids)
{
	return ask(tf, who, open_views, (struct testfile_request) { .views = ids });
}

static ssize_t close_fd(struct actor *a, void *arg)
{
	struct testfile *tf = arg;

	return view_close_fd(&a->views[tf->request.view]);
}

int testfile_close_fd(struct testfile *tf, enum actor_id who, enum view_id view)
{
	return ask(tf, who, close_fd, (struct testfile_request) { .view = view });
}

static ssize_t close_views(struct actor *a, void *arg)
{
	struct testfile *tf = arg;
	enum view_id id;

	for (id = 0; id < NR_VIEWS; id++)
		if (tf->request.views & VIEW_BIT(id))
			view_close(&a->views[id]);
	return 0;
}

void testfile_close(struct testfile *tf, enum actor_id who, enum view_id view)
{
	ask(tf, who, close_views, (struct testfile_request) { .views = VIEW_BIT(view) });
}

int testfile_fork(struct testfile *tf)
{
	return actor_fork(&tf->actors[CHILD], "child", &tf->actors[SELF],
			  server_device(tf->report.sb->server));
}

void testfile_remove(struct testfile *tf)
{
	enum actor_id who;

	actor_end(&tf->actors[CHILD]);
	for (who = 0; who < NR_ACTORS; who++)
		if (actor_alive(&tf->actors[who]))
			ask(tf, who, close_views, (struct testfile_request) { .views = ALL_VIEWS });
	unlink(tf->fuse);
	unlink(tf->backing);
}

static ssize_t act(struct actor *a, void *arg)
{
	struct testfile *tf = arg;
	const struct testfile_request *req = &tf->request;
	struct view *v = &a->views[req->view];

	if (!view_is_open(v))
		return -EBADF;
	return req->action->run(v, tf->buf, req->len, req->off);
}

/* As the public call, with the bytes in tf->buf. */
static ssize_t act_on_buf(struct testfile *tf, enum actor_id who, enum view_id view,
			  const struct action *action, size_t len, off_t off)
{
	return ask(tf, who, act, (struct testfile_request) {
		.view = view, .action = action, .len = len, .off = off,
	});
}

ssize_t testfile_act(struct testfile *tf, enum actor_id who, enum view_id view,
		     const struct action *action, void *buf, size_t len, off_t off)
{
	ssize_t ret;

	if (len > (size_t)TESTFILE_ROOM)
		return -EMSGSIZE;
	if (action->kind == ACTION_WRITE)
		memcpy(tf->buf, buf, len);
	ret = act_on_buf(tf, who, view, action, len, off);
	if (action->kind == ACTION_READ && ret > 0)
		memcpy(buf, tf->buf, ret);
	return ret;
}

ssize_t testfile_write(struct testfile *tf, enum actor_id who, enum view_id view,
		       const struct action *action, size_t len, off_t off)
{
	ssize_t ret;

	oracle_payload(&tf->oracle, tf->buf, len, off);
	ret = act_on_buf(tf, who, view, action, len, off);
	if (ret == (ssize_t)len)
		oracle_wrote(&tf->oracle, tf->actors[who].name, view_specs[view].name,
			     action->name, len, off);
	return ret;
}

static void short_read(struct testfile *tf, const struct actor *a, const struct view_spec *v,
		       const struct action *action, size_t want, ssize_t got, off_t off)
{
	if (tf->mismatches++ || tf->quiet)
		return;
	report_line("INCOHERENT: %s by %s through %s at [%lld, +%zu) of %lld returned %zd",
		    action->name, a->name, v->name, (long long)off, want,
		    (long long)tf->oracle.size, got);
	if (got < 0)
		report_line("  errno: %s", strerror(-got));
	report_rerun(&tf->report);
}

static off_t round_up(off_t n, off_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static void check_one(struct testfile *tf, struct actor *a, enum view_id id,
		      const struct action *action, size_t len, off_t off)
{
	const struct view_spec *spec = &view_specs[id];
	off_t end = tf->oracle.size;
	struct oracle_mismatch m;
	ssize_t ret;

	/* A mapping reaches to the end of the last page, a descriptor to end of file. */
	if (spec->prot)
		end = round_up(end, sysconf(_SC_PAGESIZE));
	if (off >= end || !action_fits(action, spec, off, 0, end))
		return;
	if (spec->prot && off + (off_t)len > end)
		len = end - off;

	ret = action->run(&a->views[id], tf->buf, len, off);
	if (action_declined(action, ret))
		return;
	tf->checks++;
	if (off + (off_t)len > end)
		len = end - off;
	if (ret != (ssize_t)len) {
		short_read(tf, a, spec, action, len, ret, off);
		return;
	}
	if (!oracle_compare(&tf->oracle, tf->buf, len, off, &m) || tf->mismatches++ || tf->quiet)
		return;
	report_mismatch(&tf->report, a->name, spec, action->name, &m);
}

/*
 * F2, FA and FS are read by every reader in turn, not in each check: they differ
 * from F1 in how they write. On a slow machine all views are in the checks of a
 * range, but for the plainest readers.
 */
#define TURNS	6

static bool is_plain(const struct action *action)
{
	return !strcmp(action->name, "load") || !strcmp(action->name, "pread");
}

static bool reads_now(const struct testfile *tf, const struct actor *a, enum view_id id,
		      const struct action *action)
{
	if (action->kind != ACTION_READ || (tf->reads && !tf->reads(action)))
		return false;
	/*
	 * A process that has used aio or io_uring waits for an RCU grace period when
	 * it ends, and children come and go by the hundred.
	 */
	if (action->missing && (a == &tf->actors[CHILD] || action_missing(action)))
		return false;
	/* What only another submission path tells apart on B is not FUSE's affair. */
	if (action->missing && id == B)
		return false;
	if (id != F2 && id != FA && id != FS && (!tf->slow || is_plain(action)))
		return true;
	return (action - actions) % TURNS == tf->turn % TURNS;
}

/* In the process of @a: its own views. */
static ssize_t check_views(struct actor *a, void *arg)
{
	struct testfile *tf = arg;
	const struct action *action;
	enum view_id id;

	for (id = 0; id < NR_VIEWS; id++)
		for (action = actions; view_is_open(&a->views[id]) && action->name; action++)
			if (reads_now(tf, a, id, action))
				check_one(tf, a, id, action, tf->request.len, tf->request.off);
	return 0;
}

bool testfile_reads_briefly(const struct action *a)
{
	static const char *const names[] = { "load", "pread", "splice-read", NULL };
	size_t i;

	for (i = 0; names[i]; i++)
		if (!strcmp(a->name, names[i]))
			return true;
	return false;
}

unsigned int testfile_check(struct testfile *tf, size_t len, off_t off)
{
	struct testfile_request what = { .len = len, .off = off };
	unsigned int before = tf->mismatches;
	enum actor_id who;

	tf->turn++;
	for (who = 0; who < NR_ACTORS; who++)
		if (actor_alive(&tf->actors[who]) && ask(tf, who, check_views, what))
			tf->mismatches++;	/* an actor that died saw nothing */
	return tf->mismatches - before;
}

unsigned int testfile_check_fully(struct testfile *tf, size_t len, off_t off)
{
	const bool slow = tf->slow;
	unsigned int found;

	tf->slow = false;
	found = testfile_check(tf, len, off);
	tf->slow = slow;
	return found;
}

unsigned int testfile_check_all(struct testfile *tf)
{
	return testfile_check_fully(tf, TESTFILE_ROOM, 0);
}

struct cache_stat {
	uint64_t cache, dirty, writeback, evicted, recently_evicted;
};

static int cachestat(int fd, struct cache_stat *stat)
{
	struct {
		uint64_t off, len;
	} range = { 0, 0 };	/* len 0: to the end of the file */

	return syscall(__NR_cachestat, fd, &range, stat, 0) ? -errno : 0;
}

long testfile_cached_pages(int fd)
{
	struct cache_stat stat;

	return cachestat(fd, &stat) ?: (long)stat.cache;
}

long testfile_dirty_pages(int fd)
{
	struct cache_stat stat;

	return cachestat(fd, &stat) ?: (long)(stat.dirty + stat.writeback);
}
