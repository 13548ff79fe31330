// SPDX-License-Identifier: GPL-2.0
/*
 * FOPEN_PARALLEL_DIRECT_WRITES: which writes of one file reach the server
 * together, and which one after the other. They may as long as nobody caches
 * pages of the file and its size stays (fuse-io.rst; io modes of Linux 6.9). The
 * count of such writes is also what keeps a cached open waiting and what once
 * changed the mode of the file that wrote.
 *
 * The server withholds its answer to the first write; what the second one does
 * then is seen from the requests that arrive and from the state of its thread.
 * The M ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "abi.h"
#include "actor.h"
#include "process.h"
#include "suite.h"

#define FILE_SIZE	65536

/* A thread is held if it was seen so this often in a row, not on its way through a lock. */
#define HELD_LOOKS	20

#define PT_PARALLEL	(FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES)

FIXTURE(modes_parallel)
{
	struct sandbox sb;
	struct report_case report;
	char path[PATH_MAX];
	int32_t id;			/* of the file */
	unsigned int rows;
};

BACKING_VARIANTS(modes_parallel);

FIXTURE_SETUP(modes_parallel)
{
	char backing[PATH_MAX];
	int fd;

	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
			.init_set = FUSE_DIRECT_IO_ALLOW_MMAP,
		},
	}));
	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI has no io modes");
	self->report = suite_case(_metadata, variant->fs, &self->sb);
	snprintf(self->path, sizeof(self->path), "%.4000s/file", self->sb.mnt);
	snprintf(backing, sizeof(backing), "%.4000s/file", self->sb.backing);
	fd = open(backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, FILE_SIZE));
	self->id = server_backing_open(self->sb.server, fd);
	ASSERT_LT(0, self->id);
	close(fd);
}

FIXTURE_TEARDOWN(modes_parallel)
{
	sandbox_destroy(&self->sb);
}

/* --- a call of another thread ------------------------------------------------------ */

struct call {
	const char *path;		/* open(2), or NULL: write(2) one byte to */
	int fd;
	off_t off;
	atomic_int tid;
	atomic_bool done;
	int error;			/* errno of the call */
	pthread_t thread;
};

static void *make_call(void *arg)
{
	struct call *c = arg;

	atomic_store(&c->tid, syscall(__NR_gettid));
	if (c->path) {
		c->fd = open(c->path, O_RDWR | O_CLOEXEC);
		c->error = c->fd < 0 ? errno : 0;
	} else {
		c->error = pwrite(c->fd, "w", 1, c->off) == 1 ? 0 : errno;
	}
	atomic_store(&c->done, true);
	return NULL;
}

static void start(struct __test_metadata *_metadata, struct call *c)
{
	ASSERT_EQ(0, pthread_create(&c->thread, NULL, make_call, c));
}

enum outcome { TOGETHER, HELD, NEITHER };

static const char *const outcome_names[] = { "goes on", "is held", "neither goes on nor is held" };

/* What @c does while a write is withheld: it ends or its request arrives, or it is held. */
static enum outcome outcome(struct server *srv, const struct call *c, uint64_t writes)
{
	struct timespec now, end;
	int looks = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += SERVER_WAIT_SECONDS;
	do {
		if (atomic_load(&c->done) || server_requests(srv, FUSE_WRITE) > writes)
			return TOGETHER;
		/* For a lock or an event, not for the server. */
		looks = process_state(atomic_load(&c->tid)) == 'D' ? looks + 1 : 0;
		if (looks == HELD_LOOKS)
			return HELD;
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	return NEITHER;
}

/* The outcome of @second while the first write of @fd is on its way. All is ended after that. */
static enum outcome beside_a_write(struct __test_metadata *_metadata, struct server *srv, int fd,
				   struct call *second)
{
	struct call first = { .fd = fd };
	enum outcome seen;
	uint64_t writes;

	server_withhold(srv, FUSE_WRITE);
	start(_metadata, &first);
	ASSERT_EQ(0, server_wait_withheld(srv, FUSE_WRITE));
	writes = server_requests(srv, FUSE_WRITE);
	start(_metadata, second);
	seen = outcome(srv, second, writes);
	server_release(srv, FUSE_WRITE);
	pthread_join(first.thread, NULL);
	pthread_join(second->thread, NULL);
	EXPECT_EQ(0, first.error);
	return seen;
}

/* --- M1: two writes ------------------------------------------------------------------- */

enum answer { ANSWER_DIRECT, ANSWER_PARALLEL, ANSWER_PT_PARALLEL };

static int open_as(struct server *srv, const char *path, int32_t id, enum answer answer, int flags)
{
	if (answer == ANSWER_PT_PARALLEL)
		server_set_open_reply(srv, PT_PARALLEL, id);
	else
		server_set_mode(srv, answer == ANSWER_DIRECT ? SERVER_DIRECT :
							       SERVER_DIRECT_PARALLEL);
	return open(path, O_RDWR | O_CLOEXEC | flags);
}

/* Who else has, or had, the file. */
enum company { NOBODY, CACHED_FILE, CACHED_BEFORE, MAPPING };

static const struct row {
	const char *name;
	enum answer answer;
	int flags;		/* of the second open */
	off_t off;		/* of the second write */
	enum company company;
	enum outcome expected;
} rows[] = {
	{ "direct",		ANSWER_DIRECT,	0, 100,		NOBODY,		HELD },
	{ "parallel",		ANSWER_PARALLEL, 0, 100,	NOBODY,		TOGETHER },
	{ "passthrough|parallel", ANSWER_PT_PARALLEL, 0, 100,	NOBODY,		TOGETHER },
	{ "extending",		ANSWER_PARALLEL, 0, FILE_SIZE + 9, NOBODY,	HELD },
	{ "appending",		ANSWER_PARALLEL, O_APPEND, 0,	NOBODY,		HELD },
	{ "beside-cached-file",	ANSWER_PARALLEL, 0, 100,	CACHED_FILE,	HELD },
	{ "after-cached-file",	ANSWER_PARALLEL, 0, 100,	CACHED_BEFORE,	TOGETHER },
	{ "beside-mapping",	ANSWER_PARALLEL, 0, 100,	MAPPING,	HELD },
};

/* The company of a row: a descriptor that stays open, or -1. */
static int invite(struct __test_metadata *_metadata, struct server *srv, const char *path,
		  enum company company)
{
	int fd;

	if (company != CACHED_FILE && company != CACHED_BEFORE)
		return -1;
	server_set_mode(srv, SERVER_CACHED);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	if (company == CACHED_FILE)
		return fd;
	close(fd);
	return -1;
}

static void run_row(struct __test_metadata *_metadata, const struct report_case *report,
		    const char *path, int32_t id, const struct row *r)
{
	struct server *srv = report->sb->server;
	int guest = invite(_metadata, srv, path, r->company);
	int fd = open_as(srv, path, id, r->answer, 0);
	int fd2 = open_as(srv, path, id, r->answer, r->flags);
	struct call second = { .fd = fd2, .off = r->off };
	char *map = MAP_FAILED;
	enum outcome seen;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, fd2);
	if (r->company == MAPPING) {
		map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, map);
	}
	seen = beside_a_write(_metadata, srv, fd, &second);
	EXPECT_EQ(r->expected, seen) {
		report_line("PARALLEL: case %s: the second write %s, expected that it %s",
			    r->name, outcome_names[seen], outcome_names[r->expected]);
		report_rerun(report);
	}
	EXPECT_EQ(0, second.error);
	if (map != MAP_FAILED)
		munmap(map, FILE_SIZE);
	close(fd);
	close(fd2);
	close(guest);
}

/* M1, M2: writes wait for each other exactly where they must. */
TEST_F(modes_parallel, direct_writes_wait_only_where_they_must)
{
	bool maps = server_init_offered(self->sb.server) & FUSE_DIRECT_IO_ALLOW_MMAP;
	const struct row *r;

	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (!report_select(&self->report, "%s", r->name))
			continue;
		if (r->company == MAPPING && !maps) {
			report_line("%s left out: no FUSE_DIRECT_IO_ALLOW_MMAP (Linux 6.6)",
				    r->name);
			continue;
		}
		run_row(_metadata, &self->report, self->path, self->id, r);
		self->rows++;
	}
	EXPECT_NE(0U, self->rows);
}

/* --- M1: an open beside a write -------------------------------------------------------- */

/* M1: a cached open waits until nobody writes around the cache, and no longer. */
TEST_F(modes_parallel, cached_open_waits_for_parallel_writes)
{
	struct call second = { .path = self->path };
	struct server *srv = self->sb.server;
	enum outcome seen;
	int fd;

	fd = open_as(srv, self->path, self->id, ANSWER_PARALLEL, 0);
	ASSERT_LE(0, fd);
	server_set_mode(srv, SERVER_CACHED);
	seen = beside_a_write(_metadata, srv, fd, &second);
	EXPECT_EQ(HELD, seen) {
		TH_LOG("while a parallel write is under way, a cached open %s, expected: %s",
		       outcome_names[seen], outcome_names[HELD]);
	}
	EXPECT_EQ(0, second.error);
	close(second.fd);
	close(fd);
}

/* M1: a passthrough open has no cache to protect. */
TEST_F(modes_parallel, passthrough_open_does_not_wait_for_parallel_writes)
{
	struct call second = { .path = self->path };
	struct server *srv = self->sb.server;
	enum outcome seen;
	int fd;

	fd = open_as(srv, self->path, self->id, ANSWER_PARALLEL, 0);
	ASSERT_LE(0, fd);
	server_set_mode(srv, suite_mode(SERVER_PASSTHROUGH));
	seen = beside_a_write(_metadata, srv, fd, &second);
	EXPECT_EQ(TOGETHER, seen) {
		TH_LOG("while a parallel write is under way, a passthrough open %s, expected: %s",
		       outcome_names[seen], outcome_names[TOGETHER]);
	}
	EXPECT_EQ(0, second.error);
	close(second.fd);
	close(fd);
}

static ssize_t open_path(struct actor *a, void *path)
{
	return open(path, O_RDWR | O_CLOEXEC) < 0 ? -errno : 0;
}

/*
 * M1: while a cached open waits for direct writes, the file is opened in passthrough mode.
 * There is no cached mode to wait for then: it fails, and does not wait on.
 *
 * The one who waits cannot be killed (it is not in want of the server), so that what it
 * waits for is open in a process of its own, which dies with the test.
 */
TEST_F(modes_parallel, waiting_cached_open_notices_a_passthrough_open)
{
	struct call second = { .path = self->path };
	struct server *srv = self->sb.server;
	struct actor *holder;
	enum outcome seen;
	struct call first;
	int fd;

	holder = mmap(NULL, sizeof(*holder), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, holder);
	ASSERT_EQ(0, actor_fork(holder, "holder", NULL, server_device(srv)));
	fd = open_as(srv, self->path, self->id, ANSWER_PARALLEL, 0);
	ASSERT_LE(0, fd);
	first = (struct call) { .fd = fd };
	server_set_mode(srv, SERVER_CACHED);
	server_withhold(srv, FUSE_WRITE);
	start(_metadata, &first);
	ASSERT_EQ(0, server_wait_withheld(srv, FUSE_WRITE));
	start(_metadata, &second);
	EXPECT_EQ(HELD, outcome(srv, &second, UINT64_MAX));
	server_set_open_reply(srv, FOPEN_PASSTHROUGH, self->id);
	EXPECT_EQ(0, actor_call(holder, open_path, self->path));
	server_release(srv, FUSE_WRITE);
	pthread_join(first.thread, NULL);
	EXPECT_EQ(0, first.error);
	/* The write is over, and whoever it shall wake was woken. */
	seen = outcome(srv, &second, UINT64_MAX);
	actor_end(holder);
	pthread_join(second.thread, NULL);
	if (seen == TOGETHER)
		EXPECT_EQ(EIO, second.error);
	close(second.fd);
	close(fd);
	munmap(holder, sizeof(*holder));
	suite_deviation(_metadata, "D15", seen == TOGETHER);
}

/* M1: a write in place once changed the mode of the file that wrote (fixed in 6.9). */
TEST_F(modes_parallel, parallel_write_changes_no_mode)
{
	struct server *srv = self->sb.server;
	int fd, i;

	fd = open_as(srv, self->path, self->id, ANSWER_PT_PARALLEL, 0);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, pwrite(fd, "w", 1, 10 * i));
		server_set_mode(srv, suite_mode(SERVER_CACHED));
		EXPECT_EQ(-1, open(self->path, O_RDWR | O_CLOEXEC));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, open_as(srv, self->path, self->id, ANSWER_DIRECT, 0));
		EXPECT_EQ(EIO, errno);
	}
	EXPECT_EQ(3U, server_requests(srv, FUSE_WRITE));
	close(fd);
	server_set_mode(srv, SERVER_CACHED);
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	EXPECT_LE(0, fd);
	close(fd);
}

SUITE_MAIN()
