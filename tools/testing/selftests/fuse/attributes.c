// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of a file that is written behind the server's back.
 *
 * Passthrough writes never reach the server, yet the next stat(2) through FUSE
 * must show the times, the size and the blocks that the server would answer,
 * however long attributes are cached; and what moves nothing on a plain file
 * moves nothing here. The T ids in the comments are rows of the catalogue of
 * properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "abi.h"
#include "suite_file.h"
#include "times.h"

SUITE_FILE_FIXTURE(attributes, NULL);

static struct times shown(const struct testfile *tf, enum times_look how)
{
	return times_shown(fd_of(tf, F1), tf->fuse, how);
}

static struct times answered(const struct testfile *tf)
{
	return times_answered(fd_of(tf, B));
}

/* Old times, known to FUSE, and a clock that has moved on. */
static struct times make_old(struct __test_metadata *_metadata, struct testfile *tf)
{
	struct times old;

	ASSERT_EQ(0, times_set_old(fd_of(tf, F1)));
	old = shown(tf, LOOK_FORCE_SYNC);
	ASSERT_TRUE(times_equal(times_old, answered(tf).mtime));
	times_wait_tick(old.ctime);
	return old;
}

static void show_times(const struct testfile *tf, struct times old, struct times now)
{
	times_report("before", old);
	times_report("FUSE shows", now);
	times_report("server answers", answered(tf));
	report_rerun(&tf->report);
}

/* --- T5: what writes moves mtime and ctime, and FUSE shows it at once ---------- */

/* An action through a FUSE descriptor, in place or at end of file. */
static void write_moves(struct __test_metadata *_metadata, struct testfile *tf,
			const struct action *action, enum view_id view, enum times_look how)
{
	const size_t len = DIRECT_ALIGN;
	off_t off = sysconf(_SC_PAGESIZE);
	struct times old, now;

	if (!action_fits(action, &view_specs[view], off, len, tf->oracle.size))
		off = tf->oracle.size;
	if (!action_fits(action, &view_specs[view], off, len, tf->oracle.size))
		return;
	if (!report_select(&tf->report, "%s:%s,%s", action->name, view_specs[view].name,
			   times_look_names[how]))
		return;
	old = make_old(_metadata, tf);
	ASSERT_EQ((ssize_t)len, testfile_write(tf, SELF, view, action, len, off));
	now = shown(tf, how);
	EXPECT_TRUE(times_moved(now, old) && times_same(now, answered(tf))) {
		report_line("TIMES after %s through %s, seen by %s", action->name,
			    view_specs[view].name, times_look_names[how]);
		show_times(tf, old, now);
	}
	tf->cases++;
}

TEST_F(attributes, write_moves_times)
{
	struct testfile *tf = self->tf;
	const struct action *action;
	enum times_look how;
	enum view_id view;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	for (how = LOOK_FSTAT; how <= LOOK_STAT; how++) {
		for (action = actions; action->name; action++) {
			if (action->kind != ACTION_WRITE || action->needs & ACTION_ON_MAP ||
			    action_missing(action))
				continue;
			for (view = F1; view < B; view++) {
				if (!(tf->views & VIEW_BIT(view)))
					continue;
				ASSERT_EQ(0, testfile_renew(tf));
				write_moves(_metadata, tf, action, view, how);
			}
		}
	}
	EXPECT_NE(0U, tf->cases);
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
}

static int truncate_down(int fd)
{
	return ftruncate(fd, 100);
}

static int truncate_to_same_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) ?: ftruncate(fd, st.st_size);
}

static int allocate_more(int fd)
{
	return fallocate(fd, 0, TESTFILE_SIZE, 5000);
}

static int punch_hole(int fd)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	return fallocate(fd, mode, 0, sysconf(_SC_PAGESIZE));
}

static int truncate_by_another_open(int fd)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	return again < 0 ? -1 : close(again);
}

/* T5: operations the server carries out move them as well; truncate(2), fallocate(2), open(2). */
TEST_F(attributes, size_changes_move_times)
{
	static const struct {
		const char *name;
		int (*change)(int fd);
	} changes[] = {
		{ "truncate-down", truncate_down },
		{ "truncate-same", truncate_to_same_size },
		{ "fallocate", allocate_more },
		{ "punch-hole", punch_hole },
		{ "open-O_TRUNC", truncate_by_another_open },
	};
	struct testfile *tf = self->tf;
	struct times old, now;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		if (!report_select(&tf->report, "%s", changes[i].name))
			continue;
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
		old = make_old(_metadata, tf);
		ASSERT_EQ(0, changes[i].change(fd_of(tf, F1))) {
			TH_LOG("%s: %s", changes[i].name, strerror(errno));
		}
		now = shown(tf, LOOK_STAT);
		EXPECT_TRUE(times_moved(now, old) && times_same(now, answered(tf))) {
			report_line("TIMES after %s", changes[i].name);
			show_times(tf, old, now);
		}
		testfile_remove(tf);
	}
}

static ssize_t write_nothing(int fd)
{
	return pwrite(fd, "", 0, 0);
}

/* A buffer that faults at its first byte: EFAULT, and nothing is written. */
static ssize_t write_bad_buffer(int fd)
{
	void *bad = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ssize_t ret = pwrite(fd, bad, 100, 0) < 0 ? -errno : 0;

	munmap(bad, sysconf(_SC_PAGESIZE));
	return ret;
}

/* T5: a write of nothing moves nothing, as the backing file system by itself has it. */
TEST_F(attributes, empty_write_moves_nothing)
{
	static const struct {
		const char *name;
		ssize_t (*write)(int fd);
		ssize_t result;
	} writes[] = {
		{ "zero-length", write_nothing, 0 },
		{ "bad-buffer", write_bad_buffer, -EFAULT },
	};
	struct testfile *tf = self->tf;
	struct times old, now, beside;
	size_t i;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		/* The backing file alone: some file systems mark the times before they fail. */
		old = make_old(_metadata, tf);
		ASSERT_EQ(writes[i].result, writes[i].write(fd_of(tf, B)));
		beside = answered(tf);
		if (!times_same(old, beside)) {
			report_line("SKIP %s: %s by itself moves times", writes[i].name,
				    variant->fs);
			continue;
		}
		EXPECT_EQ(writes[i].result, writes[i].write(fd_of(tf, F1)));
		now = shown(tf, LOOK_FSTAT);
		EXPECT_TRUE(times_same(now, old) && times_same(now, answered(tf))) {
			report_line("TIMES MOVED by a write of nothing: %s", writes[i].name);
			show_times(tf, old, now);
		}
	}
}

/* --- T6: the size ---------------------------------------------------------------- */

/* Every way to learn the size; -errno shows as a wrong size. */
static off_t by_fstat(struct testfile *tf)
{
	struct stat st;

	return fstat(fd_of(tf, F1), &st) ? -errno : st.st_size;
}

static off_t by_stat(struct testfile *tf)
{
	struct stat st;

	return stat(tf->fuse, &st) ? -errno : st.st_size;
}

/* What the kernel has cached, without asking anybody. */
static off_t by_dont_sync(struct testfile *tf)
{
	struct statx stx;

	if (statx(fd_of(tf, F1), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &stx))
		return -errno;
	return stx.stx_size;
}

static off_t by_seek_end(struct testfile *tf)
{
	return lseek(fd_of(tf, F1), 0, SEEK_END);
}

static off_t by_seek_hole(struct testfile *tf)
{
	off_t hole = lseek(fd_of(tf, F1), tf->oracle.size - 1, SEEK_HOLE);

	return hole < 0 ? -errno : hole;
}

/* copy_file_range(2) believes the size in the kernel: it once copied nothing. */
static off_t by_copy(struct testfile *tf)
{
	char path[PATH_MAX];
	off_t from = 0;
	ssize_t ret;
	int to;

	snprintf(path, sizeof(path), "%.4000s.copy", tf->fuse);
	to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	do {
		ret = copy_file_range(fd_of(tf, F1), &from, to, NULL, TESTFILE_ROOM, 0);
	} while (ret > 0);
	close(to);
	unlink(path);
	return ret < 0 ? -errno : from;
}

static const struct sizing {
	const char *name;
	off_t (*size)(struct testfile *tf);
} sizings[] = {
	/* First what asks nobody: a later one may have the answer fetched. */
	{ "statx-dont-sync",	by_dont_sync },
	{ "copy_file_range",	by_copy },
	{ "SEEK_END",		by_seek_end },
	{ "SEEK_HOLE",		by_seek_hole },
	{ "fstat",		by_fstat },
	{ "stat",		by_stat },
};

static void expect_size(struct __test_metadata *_metadata, struct testfile *tf,
			const struct sizing *how, const char *after)
{
	off_t size = how->size(tf);

	EXPECT_EQ(tf->oracle.size, size) {
		report_line("SIZE after %s: %s says %lld, written were %lld", after, how->name,
			    (long long)size, (long long)tf->oracle.size);
		report_rerun(&tf->report);
	}
}

/* Append the first @len bytes of the file to it by copy_file_range(2). */
static int append_copy(struct testfile *tf, size_t len)
{
	off_t from = 0, to = tf->oracle.size;
	ssize_t ret = copy_file_range(fd_of(tf, F1), &from, fd_of(tf, F1), &to, len, 0);

	if (ret != (ssize_t)len)
		return ret < 0 ? -errno : -EIO;
	oracle_copied(&tf->oracle, len, 0, tf->oracle.size);
	return 0;
}

/* Append as many bytes without writing any: fallocate(2). */
static int append_space(struct testfile *tf, size_t len)
{
	if (fallocate(fd_of(tf, F1), 0, tf->oracle.size, len))
		return -errno;
	oracle_resize(&tf->oracle, tf->oracle.size + len);
	return 0;
}

/* What the server does to a fresh file that it extends by 100 bytes. */
static void extend_by_request(struct __test_metadata *_metadata, struct testfile *tf,
			      const char *name, int (*extend)(struct testfile *tf, size_t len))
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizings); i++) {
		if (!report_select(&tf->report, "%s:%s", name, sizings[i].name))
			continue;
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1)));
		ASSERT_EQ(TESTFILE_SIZE, by_fstat(tf));
		ASSERT_EQ(0, extend(tf, 100));
		expect_size(_metadata, tf, &sizings[i], name);
		testfile_remove(tf);
	}
}

/* T6: what the server copies to the end is known as well: size and times are in no reply. */
TEST_F(attributes, extending_copy_is_known_everywhere)
{
	extend_by_request(_metadata, self->tf, "copy_file_range", append_copy);
}

/* T6: ... and what it allocates behind the end. */
TEST_F(attributes, extending_fallocate_is_known_everywhere)
{
	extend_by_request(_metadata, self->tf, "fallocate", append_space);
}

/* T6: whatever extends the file, every way to ask knows its size at once. */
TEST_F(attributes, extending_write_is_known_everywhere)
{
	struct testfile *tf = self->tf;
	const struct action *action;
	enum view_id view;
	size_t i;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	for (action = actions; action->name; action++) {
		if (action->kind != ACTION_WRITE || action_missing(action))
			continue;
		for (view = F1; view <= FA; view++) {
			if (!action_fits(action, &view_specs[view], TESTFILE_SIZE, 100,
					 TESTFILE_SIZE))
				continue;
			for (i = 0; i < ARRAY_SIZE(sizings); i++) {
				if (!report_select(&tf->report, "%s:%s,%s", action->name,
						   view_specs[view].name, sizings[i].name))
					continue;
				/* Fresh, so that one way of asking does not help the next. */
				testfile_remove(tf);
				ASSERT_EQ(0, testfile_create(tf, "file"));
				ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(view) |
							   VIEW_BIT(B)));
				ASSERT_EQ(TESTFILE_SIZE, by_fstat(tf));
				ASSERT_EQ(100, testfile_write(tf, SELF, view, action, 100,
							      TESTFILE_SIZE));
				expect_size(_metadata, tf, &sizings[i], action->name);
			}
		}
	}
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
}

static int truncate_by_open(struct testfile *tf)
{
	int fd = open(tf->fuse, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -errno : close(fd);
}

static int truncate_by_creat(struct testfile *tf)
{
	int fd = creat(tf->fuse, 0600);

	return fd < 0 ? -errno : close(fd);
}

static int truncate_by_descriptor(struct testfile *tf)
{
	return ftruncate(fd_of(tf, F1), 0);
}

static int truncate_by_path(struct testfile *tf)
{
	return truncate(tf->fuse, 0);
}

/* T6: whatever empties the file, the old size is forgotten at once, and for good. */
TEST_F(attributes, truncation_is_known_everywhere)
{
	static const struct {
		const char *name;
		int (*truncate)(struct testfile *tf);
	} ways[] = {
		{ "open-O_TRUNC",	truncate_by_open },
		{ "creat",		truncate_by_creat },
		{ "ftruncate",		truncate_by_descriptor },
		{ "truncate",		truncate_by_path },
	};
	struct testfile *tf = self->tf;
	size_t i, n;

	for (n = 0; n < ARRAY_SIZE(ways) * ARRAY_SIZE(sizings); n++) {
		i = n / ARRAY_SIZE(sizings);
		if (!report_select(&tf->report, "%s:%s", ways[i].name,
				   sizings[n % ARRAY_SIZE(sizings)].name))
			continue;
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
		ASSERT_EQ(TESTFILE_SIZE, by_fstat(tf));
		ASSERT_EQ(0, ways[i].truncate(tf));
		oracle_resize(&tf->oracle, 0);
		expect_size(_metadata, tf, &sizings[0], ways[i].name);
		/* Written anew, it ends where the write does. */
		ASSERT_EQ(100, testfile_write(tf, SELF, F1, action_find("pwrite"), 100, 0));
		expect_size(_metadata, tf, &sizings[n % ARRAY_SIZE(sizings)], ways[i].name);
		testfile_remove(tf);
	}
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
}

/* T6: a write inside the file does not shrink it, and a failed one does not grow it. */
TEST_F(attributes, other_writes_leave_the_size)
{
	const struct rlimit limit = { TESTFILE_SIZE + 10, RLIM_INFINITY };
	struct testfile *tf = self->tf;
	char buf[64] = "beyond the limit";
	ssize_t ret;
	size_t i;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, 10));
	for (i = 0; i < ARRAY_SIZE(sizings); i++)
		expect_size(_metadata, tf, &sizings[i], "a write in place");

	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	ret = pwrite(fd_of(tf, F1), buf, sizeof(buf), TESTFILE_SIZE + 20);
	EXPECT_EQ(-1, ret);
	EXPECT_EQ(EFBIG, errno);
	for (i = 0; i < ARRAY_SIZE(sizings); i++)
		if (sizings[i].size != by_copy)
			expect_size(_metadata, tf, &sizings[i], "a write past RLIMIT_FSIZE");
}

/* T6: the server grows the file itself: no read stops at the size that is cached. */
TEST_F(attributes, growth_by_the_server_is_read)
{
	struct testfile *tf = self->tf;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(TESTFILE_SIZE, by_stat(tf));
	ASSERT_EQ(1000, testfile_write(tf, SELF, B, action_find("pwrite"), 1000, TESTFILE_SIZE));
	EXPECT_EQ(TESTFILE_SIZE, by_dont_sync(tf)) {
		TH_LOG("something asked for the size: this test shows nothing");
	}
	/* From there on: a read that starts before that end takes the rest along. */
	EXPECT_EQ(0U, testfile_check_fully(tf, 1000, TESTFILE_SIZE));
	EXPECT_EQ(0U, testfile_check_all(tf));
}

/* T6: where attributes may not be cached, every way to ask asks the server. */
TEST_F(attributes, uncached_growth_by_the_server_is_known)
{
	struct testfile *tf = self->tf;
	size_t i;

	server_set_timeouts(self->sb.server, 0, 0);
	for (i = 0; i < ARRAY_SIZE(sizings); i++) {
		/* Neither of them is meant to ask. */
		if (sizings[i].size == by_dont_sync || sizings[i].size == by_copy ||
		    !report_select(&tf->report, "%s", sizings[i].name))
			continue;
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
		ASSERT_EQ(TESTFILE_SIZE, by_stat(tf));
		ASSERT_EQ(1000, testfile_write(tf, SELF, B, action_find("pwrite"), 1000,
					       TESTFILE_SIZE));
		expect_size(_metadata, tf, &sizings[i], "growth by the server");
		testfile_remove(tf);
	}
}

/* T9: what the server answered is what FUSE shows until it asks again. */
TEST_F(attributes, answer_is_kept_whole)
{
	struct testfile *tf = self->tf;
	struct stat asked, cached;
	struct statx stx;
	uint64_t requests;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
	make_old(_metadata, tf);
	ASSERT_EQ(1000, testfile_write(tf, SELF, B, action_find("pwrite"), 1000, TESTFILE_SIZE));
	ASSERT_EQ(0, fsync(fd_of(tf, B)));
	ASSERT_EQ(0, statx(fd_of(tf, F1), "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC,
			   STATX_BASIC_STATS, &stx));
	requests = server_requests(self->sb.server, FUSE_GETATTR);
	ASSERT_EQ(0, fstat(fd_of(tf, F1), &cached));
	EXPECT_EQ(requests, server_requests(self->sb.server, FUSE_GETATTR));
	ASSERT_EQ(0, fstat(fd_of(tf, B), &asked));
	EXPECT_EQ(asked.st_size, cached.st_size);
	EXPECT_EQ(asked.st_blocks, cached.st_blocks);
	EXPECT_EQ(asked.st_mode, cached.st_mode);
	EXPECT_EQ(asked.st_nlink, cached.st_nlink);
	EXPECT_TRUE(times_equal(asked.st_atim, cached.st_atim));
	EXPECT_TRUE(times_equal(asked.st_mtim, cached.st_mtim));
	EXPECT_TRUE(times_equal(asked.st_ctim, cached.st_ctim));
}

/* T9: statx(2) with DONT_SYNC asks nobody, though attributes may not be cached. */
TEST_F(attributes, dont_sync_asks_nobody)
{
	struct testfile *tf = self->tf;
	uint64_t requests;

	server_set_timeouts(self->sb.server, 0, 0);
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1)));
	requests = server_requests(self->sb.server, FUSE_GETATTR);
	ASSERT_EQ(TESTFILE_SIZE, by_dont_sync(tf));
	EXPECT_EQ(requests, server_requests(self->sb.server, FUSE_GETATTR));
	/* The control: an ordinary question is asked. */
	ASSERT_EQ(TESTFILE_SIZE, by_fstat(tf));
	EXPECT_EQ(requests + 1, server_requests(self->sb.server, FUSE_GETATTR));
}

/* T6, known deviation D6: nobody is told of that growth. */
TEST_F(attributes, growth_by_the_server_is_known)
{
	struct testfile *tf = self->tf;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
	ASSERT_EQ(TESTFILE_SIZE, by_stat(tf));
	ASSERT_EQ(1000, testfile_write(tf, SELF, B, action_find("pwrite"), 1000, TESTFILE_SIZE));
	suite_deviation(_metadata, "D6", by_dont_sync(tf) == tf->oracle.size &&
			by_fstat(tf) == tf->oracle.size);
}

/* --- T7: blocks -------------------------------------------------------------------- */

/* T7: what was stored into a hole is accounted for after msync, and FUSE shows the account. */
TEST_F(attributes, blocks_are_the_servers)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct testfile *tf = self->tf;
	struct stat asked_st, cached_st, answered_st, before;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(MS) | VIEW_BIT(B)));
	ASSERT_EQ(0, fstat(fd_of(tf, F1), &before));
	ASSERT_EQ(page, testfile_write(tf, SELF, MS, action_find("store"), page, 3 * page));
	ASSERT_EQ(0, msync(tf->actors[SELF].views[MS].map, TESTFILE_ROOM, MS_SYNC));
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, 4 * page));
	ASSERT_EQ(0, fsync(fd_of(tf, B)));
	ASSERT_EQ(0, fstat(fd_of(tf, F1), &asked_st));
	/* Now out of what the kernel has kept of that answer. */
	ASSERT_EQ(0, fstat(fd_of(tf, F1), &cached_st));
	ASSERT_EQ(0, fstat(fd_of(tf, B), &answered_st));
	EXPECT_EQ(answered_st.st_blocks, asked_st.st_blocks);
	EXPECT_EQ(answered_st.st_blocks, cached_st.st_blocks);
	EXPECT_LT(0, asked_st.st_blocks);
}

/* --- T8: what does not move them ------------------------------------------------- */

/* T8: reads and loads of every kind keep the times that were set. */
TEST_F(attributes, reading_keeps_times)
{
	struct testfile *tf = self->tf;
	struct times old, now;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	old = make_old(_metadata, tf);
	ASSERT_EQ(0U, testfile_check_all(tf));
	now = shown(tf, LOOK_FSTAT);
	EXPECT_TRUE(times_same(now, old) && times_same(now, answered(tf))) {
		report_line("TIMES MOVED by reading");
		show_times(tf, old, now);
	}
}

/* T8: under a storm of stores and writes mtime only ever moves on. */
TEST_F(attributes, mtime_is_monotonic)
{
	static const struct {
		enum view_id view;
		const char *action;
	} storm[] = {
		{ MS, "store" }, { F1, "pwrite" }, { B, "pwrite" }, { F1, "splice-write" },
		{ MB, "store" }, { FS, "pwrite" },
	};
	struct testfile *tf = self->tf;
	struct times last, now;
	const int rounds = 200;
	int n;

	server_set_timeouts(self->sb.server, 0, 0);
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	last = shown(tf, LOOK_FSTAT);
	for (n = 0; n < rounds; n++) {
		const int turn = n % ARRAY_SIZE(storm);

		ASSERT_EQ(64, testfile_write(tf, SELF, storm[turn].view,
					     action_find(storm[turn].action), 64, n * 11));
		now = shown(tf, LOOK_FSTAT);
		ASSERT_FALSE(times_later(last.mtime, now.mtime) ||
			     times_later(last.ctime, now.ctime)) {
			report_line("TIME WENT BACK at %s through %s", storm[turn].action,
				    view_specs[storm[turn].view].name);
			show_times(tf, last, now);
		}
		last = now;
	}
}

/* T4: after what may move atime FUSE asks again, though attributes are cached. */
TEST_F(attributes, atime_is_asked_for_again)
{
	static const char *const readers[] = {
		"pread", "read", "readv", "splice-read", "aio-read", "uring-read",
	};
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	unsigned long asked;
	char buf[64], *map;
	struct stat st;
	size_t i;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 copies attributes instead of asking");
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1)));
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		if (action_missing(action_find(readers[i])))
			continue;
		ASSERT_EQ(0, fstat(fd_of(tf, F1), &st));
		asked = server_requests(server, FUSE_GETATTR);
		ASSERT_EQ(0, fstat(fd_of(tf, F1), &st));
		EXPECT_EQ(asked, server_requests(server, FUSE_GETATTR)) {
			TH_LOG("attributes were not cached before %s", readers[i]);
		}
		ASSERT_EQ(64, testfile_act(tf, SELF, F1, action_find(readers[i]), buf, 64, 0));
		ASSERT_EQ(0, fstat(fd_of(tf, F1), &st));
		EXPECT_EQ(asked + 1, server_requests(server, FUSE_GETATTR)) {
			TH_LOG("after %s", readers[i]);
		}
	}
	asked = server_requests(server, FUSE_GETATTR);
	map = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd_of(tf, F1), 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, fstat(fd_of(tf, F1), &st));
	EXPECT_EQ(asked + 1, server_requests(server, FUSE_GETATTR)) {
		TH_LOG("after mmap");
	}
	munmap(map, 1);
}

SUITE_MAIN()
