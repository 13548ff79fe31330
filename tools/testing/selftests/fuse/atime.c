// SPDX-License-Identifier: GPL-2.0
/*
 * The access time of a file that is read behind the server's back. Who moves it
 * is the backing file system, by the rule of the mount that the backing file was
 * opened on (mount(2): MS_NOATIME, MS_RELATIME, MS_STRICTATIME) and O_NOATIME of
 * the user's open(2); FUSE must show what has come of it, and nothing else.
 *
 * The T ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "abi.h"
#include "suite_file.h"
#include "times.h"

SUITE_FILE_FIXTURE(atime, testfile_reads_briefly);

/* --- what is read ------------------------------------------------------------------ */

static const char *const accesses[] = {
	"pread", "readv", "splice-read", "sendfile-read", "aio-read", "uring-read", "mmap",
};

static ssize_t map_and_load(int fd)
{
	volatile char *map = mmap(NULL, page(), PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	(void)map[0];
	munmap((void *)map, page());
	return 1;
}

/* Bytes read, or -errno. */
static ssize_t access_once(int fd, const char *how)
{
	const struct action *action = action_find(how);
	struct view v = { .spec = &view_specs[F1], .fd = fd };
	char buf[64];

	return action ? action->run(&v, buf, sizeof(buf), 0) : map_and_load(fd);
}

static bool is_missing(const char *how)
{
	return action_find(how) && action_missing(action_find(how));
}

/* --- the rules --------------------------------------------------------------------- */

/* What atime is before: no later than mtime, or later than mtime and ctime. */
enum age { OLD, AHEAD, NR_AGES };

static const char *const age_names[] = { "old", "ahead" };

static const struct rule {
	const char *name;
	unsigned long flag;		/* of mount(2) */
	bool moves[NR_AGES];
} rules[] = {
	{ "noatime",	 MS_NOATIME,	 { [OLD] = false, [AHEAD] = false } },
	{ "relatime",	 MS_RELATIME,	 { [OLD] = true,  [AHEAD] = false } },
	{ "strictatime", MS_STRICTATIME, { [OLD] = true,  [AHEAD] = true } },
};

/* 0 or -errno */
static int set_age(int fd, enum age age)
{
	struct timespec both[2] = { times_old, times_old };

	if (age == AHEAD) {
		clock_gettime(CLOCK_REALTIME, &both[0]);
		both[0].tv_sec += 3600;
	}
	return futimens(fd, both) ? -errno : 0;
}

/* The backing directory once more, mounted by @rule; false with errno set. */
static bool mount_by(const struct sandbox *sb, const struct rule *rule, char *dir, size_t len)
{
	snprintf(dir, len, "%.4000s/%s", sb->dir, rule->name);
	return !mkdir(dir, 0755) && !mount(sb->backing, dir, NULL, MS_BIND, NULL) &&
	       !mount(NULL, dir, NULL, MS_BIND | MS_REMOUNT | rule->flag, NULL);
}

/* --- one access -------------------------------------------------------------------- */

/* What an access did, as fstat(2) of the same descriptor shows it. */
struct seen {
	int error;
	struct times before, after;
	struct timespec begin, end;	/* between these it happened */
};

static bool moved(const struct seen *s)
{
	return !times_equal(s->before.atime, s->after.atime);
}

/* From mmap(2) to munmap(2), or while it reads: then, if ever, atime may have moved. */
static bool is_in_time(const struct seen *s)
{
	return !moved(s) || (!times_later(s->begin, s->after.atime) &&
			     !times_later(s->after.atime, s->end));
}

static struct seen look(const char *path, int flags, enum age age, const char *how)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags);
	struct seen s = { .error = fd < 0 ? -errno : set_age(fd, age) };
	ssize_t ret = 0;

	if (!s.error) {
		s.before = times_shown(fd, path, LOOK_FSTAT);
		/* File systems look at the coarse clock, or at one between the two. */
		clock_gettime(CLOCK_REALTIME_COARSE, &s.begin);
		ret = access_once(fd, how);
		clock_gettime(CLOCK_REALTIME, &s.end);
		s.after = times_shown(fd, path, LOOK_FSTAT);
	}
	if (ret < 0)
		s.error = ret;
	close(fd);
	return s;
}

/* --- T4: the table ------------------------------------------------------------------ */

struct row {
	const struct rule *front, *back;	/* of the FUSE mount and of the backing file's */
	int flags;				/* of open(2): O_NOATIME or 0 */
	enum age age;
	const char *how;
};

static bool should_move(const struct row *r)
{
	return !r->flags && r->back->moves[r->age];
}

/* A file that FUSE has never seen, on the same mount: does it keep the rule? */
static bool backing_agrees(const char *dir, const struct row *r)
{
	char path[PATH_MAX];
	struct seen s;

	snprintf(path, sizeof(path), "%.4000s/alone", dir);
	s = look(path, r->flags, r->age, r->how);
	return !s.error && moved(&s) == should_move(r);
}

static void try_row(struct __test_metadata *_metadata, struct testfile *tf, const char *dir,
		    const struct row *r)
{
	struct times answered;
	struct stat st;
	struct seen s;

	if (!report_select(&tf->report, "%s,%s,%s,%s,%s", r->front->name, r->back->name,
			   r->flags ? "O_NOATIME" : "plain", age_names[r->age], r->how))
		return;
	if (!backing_agrees(dir, r)) {
		report_line("%s left out: %s by itself does otherwise", tf->report.name,
			    tf->report.sb->fs);
		return;
	}
	s = look(tf->fuse, r->flags, r->age, r->how);
	ASSERT_EQ(0, s.error) {
		TH_LOG("%s: %s", tf->report.name, strerror(-s.error));
	}
	ASSERT_EQ(0, stat(tf->backing, &st));
	answered = (struct times) { st.st_mtim, st.st_ctim, st.st_atim };
	EXPECT_TRUE(moved(&s) == should_move(r) && is_in_time(&s) &&
		    times_equal(s.after.atime, answered.atime) && times_same(s.after, s.before)) {
		report_line("ATIME %s, expected that it %s: %s", moved(&s) ? "moved" : "stayed",
			    should_move(r) ? "moves" : "stays", tf->report.name);
		report_line("  before %lld.%09ld, FUSE shows %lld.%09ld, the server answers %lld.%09ld",
			    (long long)s.before.atime.tv_sec, s.before.atime.tv_nsec,
			    (long long)s.after.atime.tv_sec, s.after.atime.tv_nsec,
			    (long long)answered.atime.tv_sec, answered.atime.tv_nsec);
		report_rerun(&tf->report);
	}
	tf->cases++;
}

/*
 * Two files on the backing directory as mounted by @rule: "alone", and the one
 * under test, whose opens are answered with it from now on.
 */
static void back_by(struct __test_metadata *_metadata, struct testfile *tf,
		    const struct rule *rule, char *dir, size_t len)
{
	const struct sandbox *sb = tf->report.sb;
	char path[PATH_MAX];
	int32_t id;
	int fd;

	ASSERT_TRUE(mount_by(sb, rule, dir, len)) {
		TH_LOG("%s: %s", rule->name, strerror(errno));
	}
	ASSERT_EQ(0, testfile_create(tf, "alone"));
	ASSERT_EQ(0, testfile_create(tf, "file"));
	snprintf(path, sizeof(path), "%.4000s/file", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	id = server_backing_open(sb->server, fd);
	ASSERT_LT(0, id);
	close(fd);
	/* Under a deliberate fault it is served as that says. */
	if (suite_mode(SERVER_PASSTHROUGH) == SERVER_PASSTHROUGH)
		server_set_open_reply(sb->server, FOPEN_PASSTHROUGH, id);
}

static void unback(struct testfile *tf, const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.4000s/alone", tf->report.sb->backing);
	unlink(path);
	testfile_remove(tf);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
}

/* Every open of the rows with this rule below. */
static void try_rule(struct __test_metadata *_metadata, struct testfile *tf, const char *dir,
		     struct row *r)
{
	static const int flags[] = { 0, O_NOATIME };
	size_t f, i;

	for (f = 0; f < ARRAY_SIZE(flags); f++) {
		r->flags = flags[f];
		for (r->age = OLD; r->age < NR_AGES; r->age++) {
			for (i = 0; i < ARRAY_SIZE(accesses); i++) {
				r->how = accesses[i];
				if (!is_missing(r->how))
					try_row(_metadata, tf, dir, r);
			}
		}
	}
}

static int remount_front(const struct sandbox *sb, const struct rule *rule)
{
	return mount(NULL, sb->mnt, NULL, MS_BIND | MS_REMOUNT | rule->flag, NULL) ? errno : 0;
}

/* T4: what the mount below and O_NOATIME say happens, and FUSE shows it. */
TEST_F(atime, follows_the_mount_of_the_backing_file)
{
	struct testfile *tf = self->tf;
	char dir[PATH_MAX];
	struct row r;

	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	for (r.back = rules; r.back < rules + ARRAY_SIZE(rules); r.back++) {
		back_by(_metadata, tf, r.back, dir, sizeof(dir));
		/* noatime of the FUSE mount is for the next test. */
		for (r.front = rules + 1; r.front < rules + ARRAY_SIZE(rules); r.front++) {
			ASSERT_EQ(0, remount_front(&self->sb, r.front));
			try_rule(_metadata, tf, dir, &r);
		}
		unback(tf, dir);
	}
	tf->report.name[0] = '\0';
	expect_engaged(_metadata, tf);
}

/* T4, known deviation D13: whoever mounts FUSE with noatime means it. */
TEST_F(atime, stays_on_a_noatime_mount)
{
	const struct rule *noatime = &rules[0], *strictatime = &rules[2];
	struct testfile *tf = self->tf;
	unsigned int moves = 0;
	char dir[PATH_MAX];
	struct seen s;
	size_t i;

	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	back_by(_metadata, tf, strictatime, dir, sizeof(dir));
	ASSERT_EQ(0, remount_front(&self->sb, noatime));
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		if (is_missing(accesses[i]))
			continue;
		s = look(tf->fuse, 0, OLD, accesses[i]);
		ASSERT_EQ(0, s.error);
		moves += moved(&s);
	}
	unback(tf, dir);
	expect_passed_through(_metadata, tf);
	suite_deviation(_metadata, "D13", !moves);
}

/* T4: whoever reads, and by whatever way, it never goes back. */
TEST_F(atime, is_monotonic)
{
	const struct rule *strictatime = &rules[2];
	struct testfile *tf = self->tf;
	struct times last, now;
	const int rounds = 20;
	char dir[PATH_MAX];
	int fds[2], n;
	size_t i;

	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	back_by(_metadata, tf, strictatime, dir, sizeof(dir));
	fds[0] = open(tf->fuse, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fds[0]);
	fds[1] = open(tf->backing, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fds[1]);
	/* In the tick of a ctime that was looked at, file systems use a finer clock (6.13). */
	ASSERT_EQ(0, times_set_old(fds[0]));
	last = times_shown(fds[0], tf->fuse, LOOK_FORCE_SYNC);
	times_wait_tick(last.ctime);
	for (n = 0; n < rounds; n++) {
		for (i = 0; i < ARRAY_SIZE(accesses); i++) {
			if (is_missing(accesses[i]))
				continue;
			/* Beside FUSE now and then. */
			ASSERT_LT(0, access_once(fds[(n + i) % 3 == 2], accesses[i]));
			now = times_shown(fds[0], tf->fuse, LOOK_FSTAT);
			ASSERT_FALSE(times_later(last.atime, now.atime)) {
				report_line("ATIME WENT BACK at %s", accesses[i]);
				report_rerun(&tf->report);
			}
			last = now;
		}
	}
	EXPECT_TRUE(times_later(last.atime, times_answered(fds[1]).mtime));
	close(fds[0]);
	close(fds[1]);
	unback(tf, dir);
	tf->cases++;
	expect_engaged(_metadata, tf);
}

SUITE_MAIN()
