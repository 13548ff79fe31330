// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes that the server has looked up before a write and delivers after it.
 *
 * A reply may be long under way. Meanwhile a passthrough write, of which the
 * server hears nothing, makes the file larger and newer: what the reply says is
 * old news, and a kernel that believed it would read less than was written,
 * for as long as attributes are cached. The T ids in the comments are rows of
 * the catalogue of properties.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "abi.h"
#include "suite_file.h"
#include "times.h"

FIXTURE(late_reply)
{
	struct sandbox sb;
	struct testfile *tf;
};

BACKING_VARIANTS(late_reply);

FIXTURE_SETUP(late_reply)
{
	struct report_case report;

	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			/* Each look at the path is a LOOKUP, whose reply has attributes too. */
			.entry_timeout = 0,
		},
	}));
	report = suite_case(_metadata, variant->fs, &self->sb);
	self->tf = testfile_new(&report);
	ASSERT_NE(NULL, self->tf);
}

FIXTURE_TEARDOWN(late_reply)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

/* --- who waits for the reply ------------------------------------------------------ */

static void *by_force_sync(void *arg)
{
	struct testfile *tf = arg;
	struct statx stx;

	statx(fd_of(tf, F1), "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &stx);
	return NULL;
}

static void *by_path(void *arg)
{
	struct testfile *tf = arg;
	struct stat st;

	stat(tf->fuse, &st);
	return NULL;
}

static void *by_list(void *arg)
{
	struct testfile *tf = arg;
	DIR *dir = opendir(tf->report.sb->mnt);

	if (!dir)
		return NULL;
	readdir(dir);
	closedir(dir);
	return NULL;
}

static const struct question {
	const char *name;
	uint32_t opcode;
	void *(*ask)(void *tf);
} questions[] = {
	{ "GETATTR",	 FUSE_GETATTR,	   by_force_sync },
	{ "LOOKUP",	 FUSE_LOOKUP,	   by_path },
	{ "READDIRPLUS", FUSE_READDIRPLUS, by_list },
};

/* --- what happens meanwhile ------------------------------------------------------- */

/* The server carries these out, and its replies have later news. */
static int truncated(struct testfile *tf)
{
	oracle_resize(&tf->oracle, TESTFILE_SIZE + 200);
	return ftruncate(fd_of(tf, F1), TESTFILE_SIZE + 200) ? -errno : 0;
}

static int allocated(struct testfile *tf)
{
	oracle_resize(&tf->oracle, TESTFILE_SIZE + 300);
	return fallocate(fd_of(tf, F1), 0, TESTFILE_SIZE, 300) ? -errno : 0;
}

struct event {
	const struct action *action;	/* a write, or NULL: */
	const char *name;
	int (*happen)(struct testfile *tf);
	enum view_id view;
	bool in_place;
};

static int happen(struct testfile *tf, const struct event *e)
{
	/* Whole blocks, for O_DIRECT. */
	const size_t len = DIRECT_ALIGN;
	off_t off = e->in_place ? sysconf(_SC_PAGESIZE) : TESTFILE_SIZE;
	ssize_t ret;

	if (!e->action)
		return e->happen(tf);
	ret = testfile_write(tf, SELF, e->view, e->action, len, off);
	return ret < 0 ? ret : ret == (ssize_t)len ? 0 : -EIO;
}

/* --- what is known afterwards ----------------------------------------------------- */

static off_t cached_size(const struct testfile *tf)
{
	struct statx stx;

	if (statx(fd_of(tf, F1), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &stx))
		return -errno;
	return stx.stx_size;
}

/* copy_file_range(2) believes the size in the kernel. */
static off_t copied_size(const struct testfile *tf)
{
	char path[PATH_MAX];
	off_t from = 0;
	ssize_t ret;
	int to;

	snprintf(path, sizeof(path), "%.4000s/copy", tf->report.sb->mnt);
	to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	do {
		ret = copy_file_range(fd_of(tf, F1), &from, to, NULL, 2 * TESTFILE_ROOM, 0);
	} while (ret > 0);
	close(to);
	unlink(path);
	return ret < 0 ? -errno : from;
}

static void expect_size(struct __test_metadata *_metadata, const struct testfile *tf,
			const char *how, off_t size)
{
	EXPECT_EQ(tf->oracle.size, size) {
		report_line("SIZE after %s: %s says %lld, the file has %lld", tf->report.name, how,
			    (long long)size, (long long)tf->oracle.size);
		report_rerun(&tf->report);
	}
}

static void expect_latest(struct __test_metadata *_metadata, const struct testfile *tf)
{
	struct times shown, answered;
	struct stat st;

	/* First what asks nobody: a later one may have the answer fetched. */
	expect_size(_metadata, tf, "statx, DONT_SYNC,", cached_size(tf));
	expect_size(_metadata, tf, "copy_file_range", copied_size(tf));
	shown = times_shown(fd_of(tf, F1), tf->fuse, LOOK_FSTAT);
	answered = times_answered(fd_of(tf, B));
	EXPECT_TRUE(times_same(shown, answered)) {
		report_line("TIMES after %s", tf->report.name);
		times_report("FUSE shows", shown);
		times_report("server answers", answered);
		report_rerun(&tf->report);
	}
	EXPECT_EQ(0, fstat(fd_of(tf, F1), &st));
	expect_size(_metadata, tf, "fstat", st.st_size);
}

/* A reply with old times and the old size is delivered after @e. */
static void answer_late(struct __test_metadata *_metadata, struct testfile *tf,
			const struct question *q, const struct event *e)
{
	struct server *server = tf->report.sb->server;
	pthread_t thread;

	if (!report_select(&tf->report, "%s:%s,%s,%s", q->name,
			   e->action ? e->action->name : e->name, view_specs[e->view].name,
			   e->in_place ? "in-place" : "extending") ||
	    !suite_share(tf->rows++, tf->report.sb->fs))
		return;
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views & (VIEW_BIT(F1) | VIEW_BIT(e->view) |
							  VIEW_BIT(B))));
	ASSERT_EQ(0, times_set_old(fd_of(tf, F1)));
	server_withhold_reply(server, q->opcode);
	ASSERT_EQ(0, pthread_create(&thread, NULL, q->ask, tf));
	EXPECT_EQ(0, server_wait_withheld(server, q->opcode));
	EXPECT_EQ(0, happen(tf, e));
	server_release(server, q->opcode);
	pthread_join(thread, NULL);
	expect_latest(_metadata, tf);
	testfile_remove(tf);
	tf->cases++;
}

static void expect_no_write(struct __test_metadata *_metadata, const struct testfile *tf)
{
	EXPECT_EQ(0U, server_requests(tf->report.sb->server, FUSE_WRITE));
	EXPECT_NE(0U, tf->cases) {
		TH_LOG("FUSE_TEST_CASE names no case of this test");
	}
}

/* --- the tests --------------------------------------------------------------------- */

/* T5, T6: each way to write through each descriptor outdates the reply. */
TEST_F(late_reply, write_outdates_a_reply_under_way)
{
	struct testfile *tf = self->tf;
	struct event e = {};

	for (e.action = actions; e.action->name; e.action++) {
		if (e.action->kind != ACTION_WRITE || e.action->needs & ACTION_ON_MAP ||
		    action_missing(e.action))
			continue;
		for (e.view = F1; e.view < B; e.view++) {
			/* F2 is another F1; O_DIRECT needs an end of file that is aligned. */
			if (e.view == F2 || e.view == FD ||
			    !action_fits(e.action, &view_specs[e.view], TESTFILE_SIZE,
					 DIRECT_ALIGN, TESTFILE_SIZE))
				continue;
			answer_late(_metadata, tf, &questions[0], &e);
		}
	}
	expect_no_write(_metadata, tf);
}

/* T5, T6: whatever the reply is to, and whatever made it old. */
TEST_F(late_reply, every_change_outdates_every_reply_under_way)
{
	const struct event events[] = {
		{ .action = action_find("pwrite"), .view = F1 },
		{ .action = action_find("pwrite"), .view = F1, .in_place = true },
		{ .action = action_find("splice-write"), .view = F1, .in_place = true },
		{ .action = action_find("pwrite"), .view = FD, .in_place = true },
		{ .name = "ftruncate", .happen = truncated },
		{ .name = "fallocate", .happen = allocated },
	};
	struct testfile *tf = self->tf;
	size_t q, i;

	for (q = 0; q < ARRAY_SIZE(questions); q++)
		for (i = 0; i < ARRAY_SIZE(events); i++)
			if (events[i].view != FD || tf->views & VIEW_BIT(FD))
				answer_late(_metadata, tf, &questions[q], &events[i]);
	expect_no_write(_metadata, tf);
}

/* T6, the control: late but not outdated, a reply is believed. */
TEST_F(late_reply, reply_that_nothing_outdates_is_believed)
{
	struct testfile *tf = self->tf;
	pthread_t thread;
	size_t q;

	for (q = 0; q < ARRAY_SIZE(questions); q++) {
		report_select(&tf->report, "%s", questions[q].name);
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
		/* The server's own, which nobody was told of. */
		ASSERT_EQ(100, testfile_write(tf, SELF, B, action_find("pwrite"), 100,
					      TESTFILE_SIZE));
		ASSERT_EQ(TESTFILE_SIZE, cached_size(tf));
		server_withhold_reply(self->sb.server, questions[q].opcode);
		ASSERT_EQ(0, pthread_create(&thread, NULL, questions[q].ask, tf));
		EXPECT_EQ(0, server_wait_withheld(self->sb.server, questions[q].opcode));
		EXPECT_EQ(TESTFILE_SIZE, cached_size(tf)) {
			TH_LOG("the reply was not withheld");
		}
		server_release(self->sb.server, questions[q].opcode);
		pthread_join(thread, NULL);
		expect_size(_metadata, tf, "statx, DONT_SYNC,", cached_size(tf));
		testfile_remove(tf);
	}
}

SUITE_MAIN()
