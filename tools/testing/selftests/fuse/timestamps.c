// SPDX-License-Identifier: GPL-2.0
/*
 * mtime and ctime of a file opened in passthrough mode.
 *
 * mmap(2) by itself moves neither: the objection in the review of the first
 * passthrough for mmap, in 2021. A store into a clean page of a shared mapping
 * must have moved both by the next msync(2), and the next stat(2) through FUSE
 * must show what the server would answer. Loads move neither.
 *
 * Only a fixed old mtime is compared with; nothing sleeps. The clock of the
 * file system is coarse, so a test waits for its next tick where a new ctime
 * must differ from an old one. The T ids are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi.h"
#include "backing_probe.h"
#include "fault.h"
#include "suite.h"
#include "times.h"

#define NEVER		0.0
struct timed_file {
	struct report_case report;
	char path[PATH_MAX];	/* through FUSE */
	int fd, fd2;		/* through FUSE */
	int backing;		/* beside it: the server's answer */
	char *map;		/* shared, writable, of fd */
	size_t len;		/* of map and file, bytes */
	unsigned int rows;	/* of a table that ran */
	unsigned int failed;	/* ... and of what failed in it */
};

FIXTURE(timestamps)
{
	struct sandbox sb;
	struct timed_file file;
};

BACKING_VARIANTS(timestamps);

FIXTURE_SETUP(timestamps)
{
	struct timed_file *f = &self->file;

	f->fd = -1;
	f->fd2 = -1;
	f->backing = -1;
	f->map = MAP_FAILED;
	f->len = 2 * sysconf(_SC_PAGESIZE);
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	f->report = suite_case(_metadata, variant->fs, &self->sb);
}

static void close_file(struct timed_file *f)
{
	if (f->map != MAP_FAILED)
		munmap(f->map, f->len);
	f->map = MAP_FAILED;
	close(f->fd);
	close(f->fd2);
	close(f->backing);
	f->fd = -1;
	f->fd2 = -1;
	f->backing = -1;
	unlink(f->path);
}

FIXTURE_TEARDOWN(timestamps)
{
	close_file(&self->file);
	sandbox_destroy(&self->sb);
}

/* A fresh file of two pages with attributes known to FUSE for @timeout seconds. */
static void open_file(struct __test_metadata *_metadata, struct timed_file *f,
		      double timeout)
{
	char backing[PATH_MAX], *block;

	server_set_timeouts(f->report.sb->server, timeout, timeout);
	snprintf(f->path, sizeof(f->path), "%.4000s/file", f->report.sb->mnt);
	snprintf(backing, sizeof(backing), "%.4000s/file", f->report.sb->backing);
	f->backing = open(backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ASSERT_LE(0, f->backing);
	block = calloc(1, f->len);
	ASSERT_NE(NULL, block);
	ASSERT_EQ((ssize_t)f->len, pwrite(f->backing, block, f->len, 0));
	free(block);

	f->fd = open(f->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, f->fd);
	f->fd2 = open(f->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, f->fd2);
	f->map = mmap(NULL, f->len, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	ASSERT_NE(MAP_FAILED, f->map);
}

static struct times look(const struct timed_file *f, enum times_look how)
{
	return times_shown(f->fd2, f->path, how);
}

static struct times answer(const struct timed_file *f)
{
	return times_answered(f->backing);
}

/* Old mtime through FUSE, known to it; the page clean; a later ctime possible. */
static struct times make_old(struct __test_metadata *_metadata, struct timed_file *f)
{
	struct times old;

	ASSERT_EQ(0, msync(f->map, f->len, MS_SYNC));
	ASSERT_EQ(0, times_set_old(f->fd));
	old = look(f, LOOK_FORCE_SYNC);
	ASSERT_TRUE(times_equal(times_old, answer(f).mtime)) {
		TH_LOG("utimensat(2) did not reach the server");
	}
	times_wait_tick(old.ctime);
	return old;
}

static void expect_engaged(struct __test_metadata *_metadata, struct timed_file *f)
{
	EXPECT_EQ(0U, server_requests(f->report.sb->server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(f->report.sb->server, FUSE_WRITE));
	EXPECT_NE(0U, f->rows) {
		TH_LOG("FUSE_TEST_CASE names no case of this test");
	}
}

/* --- T1: mmap(2) moves neither --------------------------------------------- */

static const struct map_kind {
	const char *name;
	int prot, flags;
} map_kinds[] = {
	{ "shared-rw",	PROT_READ | PROT_WRITE,	MAP_SHARED },
	{ "shared-ro",	PROT_READ,		MAP_SHARED },
	{ "private",	PROT_READ | PROT_WRITE,	MAP_PRIVATE },
	{ "exec",	PROT_READ | PROT_EXEC,	MAP_PRIVATE },
};

static bool set_old(struct timed_file *f)
{
	return !times_set_old(f->fd);
}

static bool write_through_fuse(struct timed_file *f)
{
	return set_old(f) && pwrite(f->fd, "w", 1, 0) == 1;
}

static bool write_beside_fuse(struct timed_file *f)
{
	return set_old(f) && pwrite(f->backing, "b", 1, 0) == 1;
}

static bool store_and_msync(struct timed_file *f)
{
	return set_old(f) && !fault_copy(f->map, "s", 1, NULL) &&
	       !msync(f->map, f->len, MS_SYNC);
}

/*
 * What happened before. Where the server's times changed behind the cached
 * attributes, a stat(2) after mmap(2) may fetch them because of atime, which
 * mmap may move; there only the cached attributes tell what mmap(2) did.
 */
static const struct history {
	const char *name;
	bool (*happen)(struct timed_file *f);
	bool cached_only;
} histories[] = {
	{ "times-set",		set_old,		false },
	{ "written",		write_through_fuse,	false },
	{ "written-beside",	write_beside_fuse,	true },
	{ "stored",		store_and_msync,	true },
};

/* Rows whose failure is shown in full; most fail where one does. */
#define SHOWN_ROWS	3

/* Count a row that failed; false if enough were shown. */
static bool shows_row(struct timed_file *f, const char *by, const struct map_kind *k,
		      enum times_look how)
{
	if (f->failed++ >= SHOWN_ROWS)
		return false;
	report_line("TIMES MOVED by %s, %s, seen by %s", by, k->name, times_look_names[how]);
	report_rerun(&f->report);
	return true;
}

static void mmap_once(struct __test_metadata *_metadata, struct timed_file *f,
		      const struct history *h, const struct map_kind *k, enum times_look how)
{
	struct times shown, now_shown, answered, now_answered;
	char *map, byte;

	open_file(_metadata, f, LONG_TIMEOUT);
	ASSERT_TRUE(h->happen(f)) {
		TH_LOG("history %s: %s", h->name, strerror(errno));
	}
	shown = look(f, how);
	answered = answer(f);
	times_wait_tick(answered.ctime);

	map = mmap(NULL, f->len, k->prot, k->flags, f->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	now_shown = look(f, how);
	now_answered = answer(f);
	if (!times_same(shown, now_shown) || !times_same(answered, now_answered)) {
		if (shows_row(f, "mmap(2) alone", k, how)) {
			times_report("FUSE before", shown);
			times_report("FUSE after", now_shown);
			times_report("server before", answered);
			times_report("server after", now_answered);
		}
	}
	/* T4: nor does a load through it. */
	ASSERT_EQ(0, fault_copy(&byte, map, 1, NULL));
	if (!times_same(now_shown, look(f, how)) || !times_same(now_answered, answer(f)))
		shows_row(f, "a load", k, how);
	munmap(map, f->len);
	close_file(f);
	f->rows++;
}

/* T1: mmap() alone, of any kind, after any history, as the server answers and as FUSE shows. */
TEST_F(timestamps, mmap_moves_neither_mtime_nor_ctime)
{
	struct timed_file *f = &self->file;
	size_t h, k;
	enum times_look how;

	for (h = 0; h < ARRAY_SIZE(histories); h++) {
		for (k = 0; k < ARRAY_SIZE(map_kinds); k++) {
			for (how = LOOK_FSTAT; how <= LOOK_DONT_SYNC; how++) {
				if (histories[h].cached_only && how != LOOK_DONT_SYNC)
					continue;
				if (report_select(&f->report, "%s,%s,%s", histories[h].name,
						  map_kinds[k].name, times_look_names[how]))
					mmap_once(_metadata, f, &histories[h], &map_kinds[k], how);
			}
		}
	}
	EXPECT_EQ(0U, f->failed) {
		TH_LOG("times moved %u times in %u rows; the first ones are shown", f->failed,
		       f->rows);
	}
	expect_engaged(_metadata, f);
}

/* --- T2: a store moves both by the next synchronisation --------------------- */

static bool by_msync_sync(struct timed_file *f)
{
	return !msync(f->map, f->len, MS_SYNC);
}

static bool by_msync_async(struct timed_file *f)
{
	return !msync(f->map, f->len, MS_ASYNC);
}

static bool by_munmap(struct timed_file *f)
{
	char *map = f->map;

	f->map = MAP_FAILED;
	return !munmap(map, f->len);
}

static bool by_fsync(struct timed_file *f)
{
	return !fsync(f->fd);
}

static bool by_fdatasync(struct timed_file *f)
{
	return !fdatasync(f->fd);
}

static bool by_close(struct timed_file *f)
{
	int fd = f->fd;

	f->fd = -1;
	return !close(fd);
}

static bool store_one(struct timed_file *f)
{
	return !fault_copy(f->map + 10, "s", 1, NULL);
}

/* The storing process ends, and with it its mapping. */
static bool store_in_child(struct timed_file *f)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!store_one(f));
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool by_nothing(struct timed_file *f)
{
	(void)f;
	return true;
}

static const struct sync {
	const char *name;
	bool (*store)(struct timed_file *f);
	bool (*sync)(struct timed_file *f);
} syncs[] = {
	{ "msync-sync",	store_one,	by_msync_sync },
	{ "msync-async", store_one,	by_msync_async },
	{ "munmap",	store_one,	by_munmap },
	{ "fsync",	store_one,	by_fsync },
	{ "fdatasync",	store_one,	by_fdatasync },
	{ "close",	store_one,	by_close },
	{ "exit",	store_in_child,	by_nothing },
};

/* The page before the store; make_old() has cleaned it if it was dirty. */
static const char *const pages[] = { "untouched", "read", "stored-and-cleaned" };

static void touch(struct timed_file *f, int page)
{
	char byte;

	if (page == 1)
		fault_copy(&byte, f->map + 10, 1, NULL);
	if (page == 2)
		fault_copy(f->map + 10, "t", 1, NULL);
}

/*
 * One store and one synchronisation on attributes cached for @timeout seconds.
 * True if @how then shows the server's answer; that the server's times moved is
 * expected in any case. Nothing else happens between the store and the look: any
 * passthrough read would have FUSE fetch the attributes anew.
 */
static bool store_shows(struct __test_metadata *_metadata, struct timed_file *f,
			const struct sync *s, int page, enum times_look how, double timeout,
			bool quiet)
{
	struct times old, shown, answered;
	bool shows;

	open_file(_metadata, f, timeout);
	touch(f, page);
	old = make_old(_metadata, f);
	ASSERT_TRUE(s->store(f));
	ASSERT_TRUE(s->sync(f));
	shown = look(f, how);
	answered = answer(f);

	EXPECT_TRUE(times_moved(answered, old)) {
		report_line("TIMES NOT MOVED on the backing file by a store and %s", s->name);
		times_report("before", old);
		times_report("after", answered);
		report_rerun(&f->report);
	}
	shows = times_same(shown, answered);
	if (!shows && !quiet) {
		report_line("TIMES DISAGREE after a store and %s, seen by %s, cached for %g s",
			    s->name, times_look_names[how], timeout);
		times_report("before the store", old);
		times_report("FUSE shows", shown);
		times_report("server answers", answered);
		report_rerun(&f->report);
	}
	close_file(f);
	f->rows++;
	return shows;
}

/* Every synchronisation and page state; true if every row showed the server's answer. */
static bool all_stores_show(struct __test_metadata *_metadata, struct timed_file *f,
			    enum times_look how, double timeout, bool quiet)
{
	bool show = true;
	size_t s;
	int page;

	for (s = 0; s < ARRAY_SIZE(syncs); s++) {
		for (page = 0; page < (int)ARRAY_SIZE(pages); page++) {
			if (!report_select(&f->report, "%s,%s,%s", syncs[s].name, pages[page],
					   times_look_names[how]))
				continue;
			show &= store_shows(_metadata, f, &syncs[s], page, how, timeout, quiet);
		}
	}
	return show;
}

/* tmpfs, for one, does not track dirtying. */
#define REQUIRE_RULE_OF_BACKING()						\
	do {									\
		char why[128];							\
		enum sandbox_result rule =					\
			backing_probe_times(&self->sb, why, sizeof(why));	\
		if (rule == SANDBOX_UNSUPPORTED)				\
			SKIP(return, "%s", why);				\
		ASSERT_EQ(SANDBOX_OK, rule) {					\
			TH_LOG("%s", why);					\
		}								\
	} while (0)

/* T2, T9: attributes are never cached: every stat shows the server's answer. */
TEST_F(timestamps, store_moves_times_seen_uncached)
{
	struct timed_file *f = &self->file;
	enum times_look how;

	REQUIRE_RULE_OF_BACKING();
	for (how = LOOK_FSTAT; how <= LOOK_FORCE_SYNC; how++)
		EXPECT_TRUE(all_stores_show(_metadata, f, how, NEVER, false));
	expect_engaged(_metadata, f);
}

/* T2, T9: attributes are cached but the caller insists. */
TEST_F(timestamps, store_moves_times_seen_by_force_sync)
{
	struct timed_file *f = &self->file;

	REQUIRE_RULE_OF_BACKING();
	EXPECT_TRUE(all_stores_show(_metadata, f, LOOK_FORCE_SYNC, LONG_TIMEOUT, false));
	expect_engaged(_metadata, f);
}

/* T2, known deviation D1: a plain stat while attributes are cached. */
TEST_F(timestamps, store_moves_times_seen_while_cached)
{
	struct timed_file *f = &self->file;
	bool quiet = !deviation_strict(), holds;

	REQUIRE_RULE_OF_BACKING();
	holds = all_stores_show(_metadata, f, LOOK_FSTAT, LONG_TIMEOUT, quiet);
	holds &= all_stores_show(_metadata, f, LOOK_STAT, LONG_TIMEOUT, quiet);
	expect_engaged(_metadata, f);
	suite_deviation(_metadata, "D1", holds);
}

/* T3: a dirty page owes nothing more; once cleaned it owes again, every time. */
TEST_F(timestamps, cleaned_page_owes_new_times)
{
	struct timed_file *f = &self->file;
	struct times old, moved, again;
	int round;

	REQUIRE_RULE_OF_BACKING();
	open_file(_metadata, f, NEVER);
	for (round = 0; round < 3; round++) {
		old = make_old(_metadata, f);
		ASSERT_TRUE(store_one(f));
		moved = answer(f);
		EXPECT_TRUE(times_moved(moved, old)) {
			TH_LOG("round %d: the first store to a clean page moved nothing", round);
		}
		/* Into the page that is dirty now: either nothing or a new time. */
		ASSERT_EQ(0, times_set_old(f->fd));
		ASSERT_TRUE(store_one(f));
		again = answer(f);
		EXPECT_TRUE(times_equal(again.mtime, times_old) ||
			    !times_later(moved.mtime, again.mtime)) {
			TH_LOG("round %d: a store to a dirty page set a time of its own", round);
			times_report("first store", moved);
			times_report("second store", again);
		}
		ASSERT_EQ(0, msync(f->map, f->len, MS_SYNC));
		again = look(f, LOOK_FSTAT);
		EXPECT_TRUE(times_same(again, answer(f))) {
			TH_LOG("round %d: FUSE does not show the server's answer", round);
			times_report("FUSE shows", again);
			times_report("server answers", answer(f));
		}
	}
	f->rows++;
	expect_engaged(_metadata, f);
}

SUITE_MAIN()
