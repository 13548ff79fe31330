// SPDX-License-Identifier: GPL-2.0
/*
 * Coherency while several processes act at once, and of several mounts.
 *
 * Each word of a small table that straddles a page has one writer, which counts
 * it up through a view of its own and announces each value once it is written.
 * Readers in other processes look through theirs: a value must be one that was
 * written, no older than one already seen, and no older than what had been
 * announced before the look. A second page cache fails that at once. The C ids
 * are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi.h"
#include "suite.h"
#include "testfile.h"

/* Looks of one reader at all words; enough for thousands of switches of processes. */
#define LOOKS		4000
/* Where KSFT_MACHINE_SLOW is set: an emulated guest, often with one processor */
#define LOOKS_SLOW	200
/*
 * read(2) and write(2) may move a word byte by byte, so one look may catch two
 * values at once. A stale cache stays stale: it is wrong again and again.
 */
#define RETRIES		100

/* Who counts up which word, and who looks. */
static const struct {
	enum view_id view;
	const char *action;
} writers[] = {
	{ MS, "store" },
	{ F1, "pwrite" },
	{ B, "pwrite" },
	{ MB, "store" },
	{ MS, "store" },
	{ F2, "splice-write" },
	{ FS, "pwrite" },
	{ MS, "process-vm-write" },
}, readers[] = {
	{ MS, "load" },
	{ MR, "load" },
	{ F2, "pread" },
	{ MB, "load" },
	{ F1, "splice-read" },
};

#define WORDS	ARRAY_SIZE(writers)

/* Shared by all processes of a test. */
struct arena {
	struct testfile *tf;
	off_t base;			/* file offset of the first word */
	atomic_ullong announced[WORDS];
	atomic_int stop;
	atomic_ullong looks;
	struct {
		atomic_int found;
		size_t word, reader;
		uint64_t seen, at_least;
	} stale;
};

FIXTURE(concurrent)
{
	struct sandbox sb;
	struct testfile *tf;
	struct arena *arena;
};

BACKING_VARIANTS(concurrent);

FIXTURE_SETUP(concurrent)
{
	struct report_case report;

	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = { .mode = SERVER_PASSTHROUGH },
	}));
	report = suite_case(_metadata, variant->fs, &self->sb);
	self->tf = testfile_new(&report);
	ASSERT_NE(NULL, self->tf);
	self->arena = mmap(NULL, sizeof(*self->arena), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->arena);
	self->arena->tf = self->tf;
	/* Half of the words lie on one page, half on the next. */
	self->arena->base = sysconf(_SC_PAGESIZE) - WORDS / 2 * sizeof(uint64_t);
}

FIXTURE_TEARDOWN(concurrent)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

static off_t word_off(const struct arena *arena, size_t word)
{
	return arena->base + word * sizeof(uint64_t);
}

static bool is_mapping(enum view_id view)
{
	return view_specs[view].prot;
}

/* A store or load of an aligned word is one access; nothing else promises that. */
static ssize_t move_word(struct view *v, const struct action *a, uint64_t *value, off_t off)
{
	atomic_ullong *word = (atomic_ullong *)(v->map + off);

	if (!strcmp(a->name, "store"))
		atomic_store(word, *value);
	else if (!strcmp(a->name, "load"))
		*value = atomic_load(word);
	else
		return a->run(v, value, sizeof(*value), off);
	return sizeof(*value);
}

/* Count @word up until told to stop. Exit code 1: the write itself failed. */
static void count_up(struct arena *arena, size_t word)
{
	struct view *v = &arena->tf->actors[SELF].views[writers[word].view];
	const struct action *a = action_find(writers[word].action);
	uint64_t value = 0;

	while (!atomic_load(&arena->stop)) {
		value++;
		if (move_word(v, a, &value, word_off(arena, word)) != sizeof(value))
			_exit(1);
		atomic_store(&arena->announced[word], value);
	}
	_exit(0);
}

/* One look; true if the value may be seen now. */
static bool look(struct arena *arena, size_t reader, size_t word, uint64_t *last, uint64_t *value)
{
	struct view *v = &arena->tf->actors[SELF].views[readers[reader].view];
	const struct action *a = action_find(readers[reader].action);
	uint64_t announced = atomic_load(&arena->announced[word]);
	uint64_t at_least = announced > *last ? announced : *last;

	if (move_word(v, a, value, word_off(arena, word)) != sizeof(*value))
		_exit(1);
	*last = at_least;
	/* The writer may be one ahead of what it announced, by now many. */
	return *value >= at_least && *value <= atomic_load(&arena->announced[word]) + 1;
}

static void report_stale(struct arena *arena, size_t reader, size_t word, uint64_t seen,
			 uint64_t at_least)
{
	int none = 0;

	if (!atomic_compare_exchange_strong(&arena->stale.found, &none, 1))
		return;
	arena->stale.reader = reader;
	arena->stale.word = word;
	arena->stale.seen = seen;
	arena->stale.at_least = at_least;
}

static void look_around(struct arena *arena, size_t reader)
{
	uint64_t last[WORDS] = {}, value;
	bool exact = is_mapping(readers[reader].view);
	const int looks = getenv("KSFT_MACHINE_SLOW") ? LOOKS_SLOW : LOOKS;
	size_t word;
	int n, tries;

	for (n = 0; n < looks && !atomic_load(&arena->stale.found); n++) {
		for (word = 0; word < WORDS; word++) {
			/* Both ends are single accesses: not even once may it be wrong. */
			bool strict = exact && !strcmp(writers[word].action, "store");

			tries = strict ? 1 : RETRIES;
			while (!look(arena, reader, word, &last[word], &value) && --tries)
				;
			if (!tries) {
				report_stale(arena, reader, word, value, last[word]);
				break;
			}
			if (value > last[word])
				last[word] = value;
			atomic_fetch_add(&arena->looks, 1);
		}
	}
	_exit(0);
}

static pid_t start(struct arena *arena, void (*run)(struct arena *arena, size_t which),
		   size_t which)
{
	pid_t tester = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == tester)
		run(arena, which);
	_exit(1);
}

/* True if @pid ended as it should. */
static bool finished(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* C15: no reader ever sees a value that is torn, invented, or older than it may be. */
TEST_F_TIMEOUT(concurrent, words_are_never_stale, 120)
{
	struct arena *arena = self->arena;
	struct testfile *tf = self->tf;
	pid_t writing[WORDS], reading[ARRAY_SIZE(readers)];
	uint64_t zero = 0;
	size_t i;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	for (i = 0; i < WORDS; i++)
		ASSERT_EQ((ssize_t)sizeof(zero), pwrite(tf->actors[SELF].views[B].fd, &zero,
							sizeof(zero), word_off(arena, i)));
	ASSERT_EQ(0U, testfile_check(tf, 1, 0));
	for (i = 0; i < WORDS; i++)
		writing[i] = start(arena, count_up, i);
	for (i = 0; i < ARRAY_SIZE(readers); i++)
		reading[i] = start(arena, look_around, i);
	for (i = 0; i < ARRAY_SIZE(readers); i++)
		EXPECT_TRUE(finished(reading[i]));
	atomic_store(&arena->stop, 1);
	for (i = 0; i < WORDS; i++)
		EXPECT_TRUE(finished(writing[i])) {
			TH_LOG("writer %zu of the table failed", i);
		}

	EXPECT_FALSE(atomic_load(&arena->stale.found)) {
		report_line("STALE: %s through %s saw %llu, %s through %s had written %llu",
			    readers[arena->stale.reader].action,
			    view_specs[readers[arena->stale.reader].view].name,
			    (unsigned long long)arena->stale.seen,
			    writers[arena->stale.word].action,
			    view_specs[writers[arena->stale.word].view].name,
			    (unsigned long long)arena->stale.at_least);
		report_rerun(&tf->report);
	}
	EXPECT_LT(0U, atomic_load(&arena->looks));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
}

/* --- C12: several FUSE inodes over one backing inode ---------------------------- */

/* C12: two mounts of one directory are as coherent as one. */
TEST_F(concurrent, two_mounts_are_coherent)
{
	struct server_options opt = {
		.mode = suite_mode(SERVER_PASSTHROUGH),
		.stack_depth = strcmp(variant->fs, "overlayfs") ? 1 : 2,
	};
	struct testfile *tf = self->tf;
	struct server *second;
	char mnt[PATH_MAX], path[PATH_MAX];
	struct view view = {};
	char buf[64];
	int n;

	snprintf(mnt, sizeof(mnt), "%.4000s/second", self->sb.dir);
	ASSERT_EQ(0, mkdir(mnt, 0700));
	ASSERT_EQ(0, server_start(&second, self->sb.backing, mnt, &opt));
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	snprintf(path, sizeof(path), "%.4000s/file", mnt);
	EXPECT_EQ(0, view_open(&view, &view_specs[MS], path, TESTFILE_ROOM));

	for (n = 0; view_is_open(&view) && n < 3; n++) {
		/* Seen there. */
		EXPECT_EQ(64, testfile_write(tf, SELF, n % 2 ? F1 : MS,
					     action_find(n % 2 ? "pwrite" : "store"), 64,
					     n * 4000));
		EXPECT_EQ(0, memcmp(view.map + n * 4000, tf->oracle.bytes + n * 4000, 64));
		/* Seen here: what is stored there is what the oracle drew. */
		oracle_payload(&tf->oracle, buf, sizeof(buf), n * 4000 + 32);
		memcpy(view.map + n * 4000 + 32, buf, sizeof(buf));
		oracle_wrote(&tf->oracle, "self", "a second mount", "store", sizeof(buf),
			     n * 4000 + 32);
		EXPECT_EQ(0U, testfile_check_all(tf));
	}
	view_close(&view);
	server_stop(second);
}

/* C12: hard links are one file, whichever name is opened. */
TEST_F(concurrent, hard_links_are_coherent)
{
	struct testfile *tf = self->tf;
	char name[PATH_MAX];
	struct view view = {};

	ASSERT_EQ(0, testfile_create(tf, "file"));
	snprintf(name, sizeof(name), "%.4000s.link", tf->fuse);
	ASSERT_EQ(0, link(tf->fuse, name));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0, view_open(&view, &view_specs[MS], name, TESTFILE_ROOM));
	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, 100));
	EXPECT_EQ(0, memcmp(view.map, tf->oracle.bytes, 200));
	ASSERT_EQ(64, testfile_write(tf, SELF, B, action_find("pwrite"), 64, 5000));
	EXPECT_EQ(0, memcmp(view.map + 5000, tf->oracle.bytes + 5000, 64));
	EXPECT_EQ(0U, testfile_check_all(tf));
	view_close(&view);
	unlink(name);
}

/* overlayfs on top of the mount, as its lower layer: 0 or errno. */
static int mount_above(const struct sandbox *sb, char *merged, size_t len)
{
	char upper[PATH_MAX], work[PATH_MAX], data[4 * PATH_MAX];

	snprintf(upper, sizeof(upper), "%.4000s/above-upper", sb->dir);
	snprintf(work, sizeof(work), "%.4000s/above-work", sb->dir);
	snprintf(merged, len, "%.4000s/above", sb->dir);
	if (mkdir(upper, 0700) || mkdir(work, 0700) || mkdir(merged, 0700))
		return errno;
	snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s,workdir=%s", sb->mnt, upper, work);
	return mount("overlay", merged, "overlay", 0, data) ? errno : 0;
}

static void expect_seen_above(struct __test_metadata *_metadata, const struct testfile *tf,
			      const struct view *above, const char *by)
{
	char seen[TESTFILE_PAGES * 1024];

	EXPECT_EQ(0, memcmp(above->map, tf->oracle.bytes, TESTFILE_SIZE)) {
		TH_LOG("the mapping above does not show what %s did", by);
	}
	ASSERT_EQ((ssize_t)sizeof(seen), pread(above->fd, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(seen, tf->oracle.bytes, sizeof(seen))) {
		TH_LOG("pread above does not show what %s did", by);
	}
}

/* C12: a file of overlayfs above FUSE is the same file, as long as it is not copied up. */
TEST_F(concurrent, overlayfs_above_is_coherent)
{
	static const struct {
		enum view_id view;
		const char *action;
	} writers[] = {
		{ MS, "store" }, { F1, "pwrite" }, { B, "pwrite" }, { F1, "splice-write" },
		{ MB, "store" },
	};
	struct testfile *tf = self->tf;
	char merged[PATH_MAX], path[PATH_MAX];
	struct view above = {};
	size_t i;
	int err;

	if (!strcmp(variant->fs, "overlayfs"))
		SKIP(return, "overlayfs, FUSE and overlayfs again are more than the kernel stacks");
	err = mount_above(&self->sb, merged, sizeof(merged));
	if (err == ENODEV)
		SKIP(return, "no overlayfs: CONFIG_OVERLAY_FS");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	snprintf(path, sizeof(path), "%.4000s/file", merged);
	ASSERT_EQ(0, view_open(&above, &view_specs[MR], path, TESTFILE_ROOM));
	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		ASSERT_EQ(200, testfile_write(tf, SELF, writers[i].view,
					      action_find(writers[i].action), 200, 3900 + 50 * i));
		expect_seen_above(_metadata, tf, &above, writers[i].action);
		EXPECT_EQ(0U, testfile_check_all(tf));
	}
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
	view_close(&above);
	umount2(merged, MNT_DETACH);
}

SUITE_MAIN_RACING()
