// SPDX-License-Identifier: GPL-2.0
/*
 * Data coherency of a file opened in passthrough mode.
 *
 * A shared mapping, a descriptor and the backing file are one file: what is
 * written through one view is seen through every other at once (mmap(2),
 * MAP_SHARED; POSIX mmap(): a store changes the underlying object). In 2021 a
 * passthrough that diverted read and write but not mmap was found to break
 * this: two page caches, each with its own truth.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "abi.h"
#include "suite_file.h"

/* Where in the file (see testfile.h) an action lands; page counts plus bytes. */
struct place {
	const char *name;
	int page, byte;		/* offset; page < 0: relative to end of file */
	int pages, bytes;	/* length */
};

static const struct place places[] = {
	{ "inside-page",	0, 100,		0, 64 },
	{ "across-pages",	2, -32,		0, 64 },
	{ "whole-page",		1, 0,		1, 0 },
	{ "hole",		3, 100,		0, 64 },
	{ "whole-hole-page",	4, 0,		1, 0 },
	{ "hole-edges",		3, -32,		2, 64 },
	{ "last-page",		6, 100,		0, 64 },
	{ "across-eof",		-1, -32,	1, 0 },
	{ "at-eof",		-1, 0,		0, 100 },
};

/* What the mappings have done to the pages before the action under test. */
static const char *const states[] = { "untouched", "clean", "dirty" };
enum { UNTOUCHED, CLEAN, DIRTY };

/* Who acts, and who looks besides the test itself. */
static const struct relation {
	const char *name;
	enum actor_id writer, other;
} relations[] = {
	{ "alone",		SELF,	SELF },
	{ "child-writes",	CHILD,	CHILD },
	{ "child-looks",	SELF,	CHILD },
	{ "other-writes",	OTHER,	OTHER },
	{ "other-looks",	SELF,	OTHER },
};

/* A second process need not open everything the first one did. */
#define OTHER_VIEWS	(VIEW_BIT(F1) | VIEW_BIT(B) | VIEW_BIT(MS) | VIEW_BIT(MR) | VIEW_BIT(MB))

SUITE_FILE_FIXTURE(coherency, NULL);

static off_t place_off(const struct place *p)
{
	const long page = sysconf(_SC_PAGESIZE);

	return (p->page < 0 ? TESTFILE_SIZE : p->page * page) + p->byte;
}

static size_t place_len(const struct place *p)
{
	return p->pages * sysconf(_SC_PAGESIZE) + p->bytes;
}

/* The part of @p that lies in the file and so may be stored to. */
static size_t stored_len(const struct testfile *tf, const struct place *p)
{
	off_t room = tf->oracle.size - place_off(p);

	return room < (off_t)place_len(p) ? room : (off_t)place_len(p);
}

/* The place and a little around it, where a misplaced write would land first. */
#define MARGIN	64

static unsigned int check_place(struct testfile *tf, const struct place *p)
{
	off_t from = place_off(p) < MARGIN ? 0 : place_off(p) - MARGIN;

	return testfile_check(tf, place_off(p) + place_len(p) + MARGIN - from, from);
}

/*
 * Bring the pages of @p into @state in every mapping. False if the views disagree
 * then; all readers have their turn after the action.
 */
static bool prepare(struct testfile *tf, const struct place *p, int state)
{
	const struct action *store = action_find("store");
	size_t len = stored_len(tf, p);
	bool agree;

	if (state == DIRTY && len &&
	    testfile_write(tf, SELF, MS, store, len, place_off(p)) != (ssize_t)len)
		return false;
	if (state == UNTOUCHED)
		return true;
	tf->reads = testfile_reads_briefly;
	agree = !check_place(tf, p);
	tf->reads = NULL;
	return agree;
}

struct row {
	const struct action *action;
	enum view_id view;
	const struct relation *relation;
	const struct place *place;
	int state;
};

/* One row on the open file; true if it holds. */
static bool try_row(struct testfile *tf, const struct row *row)
{
	size_t len = place_len(row->place);
	ssize_t ret;

	tf->mismatches = 0;
	if (testfile_renew(tf) || !prepare(tf, row->place, row->state))
		return false;
	ret = testfile_write(tf, row->relation->writer, row->view, row->action, len,
			     place_off(row->place));
	if (ret != (ssize_t)len) {
		if (!tf->quiet) {
			report_line("%s through %s wrote %zd of %zu bytes%s%s", row->action->name,
				    view_specs[row->view].name, ret, len, ret < 0 ? ": " : "",
				    ret < 0 ? strerror(-ret) : "");
			report_rerun(&tf->report);
		}
		return false;
	}
	return !check_place(tf, row->place);
}

/* A fresh file with every view open in every process of @relation. */
static void open_for(struct __test_metadata *_metadata, struct testfile *tf,
		     const struct relation *relation)
{
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	if (relation->other == OTHER)
		ASSERT_EQ(0, testfile_open(tf, OTHER, OTHER_VIEWS));
	if (relation->other == CHILD)
		ASSERT_EQ(0, testfile_fork(tf));
}

/* Rows whose failure is shown in full; a broken kernel fails most of them. */
#define SHOWN_ROWS	3

/*
 * Rows share a file as long as they hold. One that does not runs again on a
 * fresh file, so that what is reported is what its rerun command will do; a
 * stale page of an earlier row alone would not come back.
 */
static void run_row(struct __test_metadata *_metadata, struct testfile *tf, const struct row *row)
{
	if (!report_select(&tf->report, "%s:%s,%s,%s,%s", row->action->name,
			   view_specs[row->view].name, row->place->name, states[row->state],
			   row->relation->name) || !suite_share(tf->rows++, tf->report.sb->fs))
		return;
	tf->cases++;
	tf->quiet = true;
	if (try_row(tf, row))
		return;

	tf->failed_cases++;
	if (tf->shown_cases >= SHOWN_ROWS)
		return;
	testfile_remove(tf);
	open_for(_metadata, tf, row->relation);
	tf->quiet = false;
	if (!try_row(tf, row))
		tf->shown_cases++;
}

/*
 * F2 is a second F1: how bytes are written matters on one of them. What only
 * another submission path tells apart is the backing file system's own affair on B.
 */
static bool is_redundant(const struct action *action, enum view_id view)
{
	if (view == F2)
		return strcmp(action->name, "pwrite") && strcmp(action->name, "splice-write");
	return view == B && action->missing;
}

/* One writer through one view: every place, page state and process. */
static void run_writer(struct __test_metadata *_metadata, struct testfile *tf,
		       const struct action *action, enum view_id view)
{
	struct row row = { .action = action, .view = view };
	size_t i, r;

	if (action_missing(action)) {
		if (view == F1)
			report_line("SKIP %s: %s", action->name, action_missing(action));
		return;
	}
	if (is_redundant(action, view))
		return;
	for (r = 0; r < ARRAY_SIZE(relations); r++) {
		row.relation = &relations[r];
		if (!(tf->views & VIEW_BIT(view)) ||
		    (row.relation->writer == OTHER && !(OTHER_VIEWS & VIEW_BIT(view))))
			continue;
		open_for(_metadata, tf, row.relation);
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			row.place = &places[i];
			if (!action_fits(action, &view_specs[view], place_off(row.place),
					 place_len(row.place), TESTFILE_SIZE))
				continue;
			for (row.state = UNTOUCHED; row.state <= DIRTY; row.state++)
				run_row(_metadata, tf, &row);
		}
		testfile_remove(tf);
	}
	tf->report.name[0] = '\0';
}

/* Every row of the table held, and there were some. */
static void expect_all_held(struct __test_metadata *_metadata, struct testfile *tf)
{
	EXPECT_EQ(0U, tf->failed_cases) {
		TH_LOG("%u of %u cases failed; %u that fail by themselves are shown",
		       tf->failed_cases, tf->cases, tf->shown_cases);
	}
	EXPECT_NE(0U, tf->cases) {
		TH_LOG("FUSE_TEST_CASE names no case of this test");
	}
}

/* C1: every way to write(2) is seen at once by loads through every live mapping. */
TEST_F_TIMEOUT(coherency, write_reaches_every_view, 120)
{
	struct testfile *tf = self->tf;
	const struct action *action;
	enum view_id view;

	for (action = actions; action->name; action++)
		for (view = F1; view <= B; view++)
			if (action->kind == ACTION_WRITE)
				run_writer(_metadata, tf, action, view);
	expect_all_held(_metadata, tf);
	expect_passed_through(_metadata, tf);
}

/* C2: a store is seen at once by every reader; no msync(2) is needed. */
TEST_F_TIMEOUT(coherency, store_reaches_every_view, 120)
{
	struct testfile *tf = self->tf;
	const struct action *action;

	for (action = actions; action->name; action++) {
		if (action->kind != ACTION_WRITE || !(action->needs & ACTION_ON_MAP))
			continue;
		run_writer(_metadata, tf, action, MS);
		run_writer(_metadata, tf, action, MB);
	}
	expect_all_held(_metadata, tf);
	expect_passed_through(_metadata, tf);
}

/* A fresh file with every view open in every process. */
static void open_everywhere(struct __test_metadata *_metadata, struct testfile *tf)
{
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0, testfile_open(tf, OTHER, OTHER_VIEWS));
	ASSERT_EQ(0, testfile_fork(tf));
}

/* Write by @action through @view, then compare the whole file everywhere. */
static void write_and_check(struct __test_metadata *_metadata, struct testfile *tf,
			    enum actor_id who, enum view_id view, const char *action,
			    size_t len, off_t off)
{
	ASSERT_EQ((ssize_t)len,
		  testfile_write(tf, who, view, action_find(action), len, off));
	ASSERT_EQ(0U, testfile_check_all(tf)) {
		TH_LOG("after %s through %s by %s", action, view_specs[view].name,
		       tf->actors[who].name);
	}
}

/* C3: writers of all kinds take turns on one page; no view ever shows an older value. */
TEST_F_TIMEOUT(coherency, no_view_returns_to_an_older_value, 60)
{
	static const struct {
		enum actor_id who;
		enum view_id view;
		const char *action;
	} turns[] = {
		{ SELF, F1, "pwrite" },		{ SELF, MS, "store" },
		{ CHILD, MS, "store" },		{ OTHER, F1, "write" },
		{ SELF, B, "pwrite" },		{ OTHER, MS, "store" },
		{ CHILD, F2, "splice-write" },	{ SELF, MB, "store" },
		{ OTHER, B, "writev" },		{ CHILD, B, "pwrite" },
		{ SELF, FS, "pwrite" },		{ OTHER, MB, "store" },
	};
	const long page = sysconf(_SC_PAGESIZE);
	struct testfile *tf = self->tf;
	const int rounds = 8;
	size_t i;
	int n;

	open_everywhere(_metadata, tf);
	for (n = 0; n < rounds; n++)
		for (i = 0; i < ARRAY_SIZE(turns); i++)
			/* Ranges overlap their predecessors and straddle two pages. */
			write_and_check(_metadata, tf, turns[i].who, turns[i].view,
					turns[i].action, 300, page - 150 + (n * 37 + i * 11) % 100);
	expect_passed_through(_metadata, tf);
}

/*
 * C4, the control: cached FUSE beside writes to the backing file is incoherent by
 * design (fuse-io.rst), both ways. A suite that does not notice is blind.
 */
TEST_F(coherency, incoherence_of_cached_mode_is_noticed)
{
	struct testfile *tf = self->tf;

	server_set_mode(self->sb.server, suite_mode(SERVER_CACHED));
	tf->quiet = true;
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(MS) | VIEW_BIT(B)));
	ASSERT_EQ(0U, testfile_check_all(tf)) {
		TH_LOG("views disagree before anything was written");
	}

	ASSERT_EQ(64, testfile_write(tf, SELF, B, action_find("pwrite"), 64, 100));
	EXPECT_LT(0U, testfile_check(tf, 64, 100)) {
		TH_LOG("a write beside the cache of FUSE went unnoticed: these checks are blind");
	}
	/*
	 * The kernel may write the page back at any time, which would bring agreement.
	 * Refused, not withheld: who stores may have to wait for the writeback.
	 */
	server_fail(self->sb.server, FUSE_WRITE, EIO, UINT_MAX);
	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, 1000));
	EXPECT_LT(0U, testfile_check(tf, 64, 1000)) {
		TH_LOG("a store into the cache of FUSE went unnoticed: these checks are blind");
	}
}

/* C5: one page cache, the backing file's. */
TEST_F(coherency, fuse_inode_caches_no_page)
{
	struct testfile *tf = self->tf;
	struct view *views = tf->actors[SELF].views;

	open_everywhere(_metadata, tf);
	write_and_check(_metadata, tf, SELF, F1, "pwrite", 4000, 50);
	write_and_check(_metadata, tf, SELF, MS, "store", 4000, 5000);
	if (testfile_cached_pages(views[B].fd) == -ENOSYS)
		SKIP(return, "cachestat(2) is missing (Linux 6.5)");
	EXPECT_EQ(0, testfile_cached_pages(views[F1].fd));
	/* The cache behind overlayfs belongs to its upper layer. */
	if (strcmp(variant->fs, "overlayfs"))
		EXPECT_LT(0, testfile_cached_pages(views[B].fd));
	expect_passed_through(_metadata, tf);
}

/* C5: with FOPEN_DIRECT_IO beside it, read and write are the server's, the map is not. */
TEST_F(coherency, direct_passthrough_asks_the_server)
{
	struct testfile *tf = self->tf;
	char byte[64];

	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI has no FOPEN_DIRECT_IO mode");
	server_set_mode(self->sb.server, suite_mode(SERVER_PASSTHROUGH_DIRECT));
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(MS) | VIEW_BIT(B)));
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, 100));
	EXPECT_EQ(1U, server_requests(tf->report.sb->server, FUSE_WRITE));
	/* Nothing is kept here: the second read asks again. */
	ASSERT_EQ(64, testfile_act(tf, SELF, F1, action_find("pread"), byte, 64, 100));
	ASSERT_EQ(64, testfile_act(tf, SELF, F1, action_find("pread"), byte, 64, 100));
	EXPECT_EQ(2U, server_requests(tf->report.sb->server, FUSE_READ));
	/* Nor is splice(2) a way round the server, whatever else it does (D4). */
	ASSERT_EQ(64, testfile_act(tf, SELF, F1, action_find("splice-read"), byte, 64, 100));
	EXPECT_LT(2U, server_requests(tf->report.sb->server, FUSE_READ));
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("splice-write"), 64, 100));
	EXPECT_LT(1U, server_requests(tf->report.sb->server, FUSE_WRITE));
}

/* C9: a mapping crosses fork(2) and stays shared; the child's end takes nothing back. */
TEST_F(coherency, forked_child_shares_the_mapping)
{
	struct testfile *tf = self->tf;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, 0));
	ASSERT_EQ(0, testfile_fork(tf));
	EXPECT_EQ(0U, testfile_check_all(tf));

	write_and_check(_metadata, tf, CHILD, MS, "store", 64, 32);
	write_and_check(_metadata, tf, SELF, MS, "store", 64, 64);
	write_and_check(_metadata, tf, CHILD, F1, "write", 64, 96);
	write_and_check(_metadata, tf, CHILD, MS, "store", 5000, 3000);
	actor_end(&tf->actors[CHILD]);
	EXPECT_EQ(0U, testfile_check_all(tf));
	write_and_check(_metadata, tf, SELF, B, "pwrite", 64, 3000);
	expect_passed_through(_metadata, tf);
}

/* --- C10: what happens around a mapping does not reach into it ------------ */

static int close_every_descriptor(struct testfile *tf)
{
	enum view_id id;
	int err = 0;

	for (id = F1; id <= MR && !err; id++)
		if (view_specs[id].side == VIEW_FUSE)
			err = testfile_close_fd(tf, SELF, id);
	return err;
}

static int unlink_name(struct testfile *tf)
{
	return unlink(tf->fuse) ? -errno : 0;
}

static int unlink_backing_name(struct testfile *tf)
{
	return unlink(tf->backing) ? -errno : 0;
}

static int rename_backing_name(struct testfile *tf)
{
	char to[PATH_MAX];

	snprintf(to, sizeof(to), "%.4000s.renamed", tf->backing);
	return rename(tf->backing, to) ? -errno : 0;
}

/* Another file takes the name; the mapping belongs to the old one. */
static int replace_backing_name(struct testfile *tf)
{
	char from[PATH_MAX];
	int fd;

	snprintf(from, sizeof(from), "%.4000s.new", tf->backing);
	fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return rename(from, tf->backing) ? -errno : 0;
}

/* V12 ids are used up by one open; there is nothing to close. */
static int close_backing_id(struct testfile *tf)
{
	struct server *server = tf->report.sb->server;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		return 0;
	return server_backing_close(server, server_backing_id(server, basename(tf->fuse)));
}

static int change_mode(struct testfile *tf)
{
	server_set_mode(tf->report.sb->server, SERVER_CACHED);
	return 0;
}

static int unmount_lazily(struct testfile *tf)
{
	return umount2(tf->report.sb->mnt, MNT_DETACH) ? -errno : 0;
}

/* Whatever may be forgotten is: FORGET must not come for a mapped inode. */
static int drop_inodes(struct testfile *tf)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	int err = close_every_descriptor(tf);

	if (fd < 0)
		return -errno;
	if (!err && write(fd, "2", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

/* C10 */
TEST_F(coherency, mapping_survives_what_happens_around_it)
{
	static const struct {
		const char *name;
		int (*happen)(struct testfile *tf);
	} events[] = {
		{ "close-every-descriptor", close_every_descriptor },
		{ "unlink", unlink_name },
		{ "unlink-backing", unlink_backing_name },
		{ "rename-backing", rename_backing_name },
		{ "replace-backing", replace_backing_name },
		{ "close-backing-id", close_backing_id },
		{ "change-mode", change_mode },
		{ "drop-inodes", drop_inodes },
		{ "unmount-lazily", unmount_lazily },	/* last: no path leads in any more */
	};
	struct testfile *tf = self->tf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (!report_select(&tf->report, "%s", events[i].name))
			continue;
		server_set_mode(self->sb.server, suite_mode(SERVER_PASSTHROUGH));
		/* Before 6.8 a name that is gone on the server alone stays in the dcache. */
		ASSERT_EQ(0, testfile_create(tf, events[i].name));
		ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
		write_and_check(_metadata, tf, SELF, MS, "store", 64, 0);
		ASSERT_EQ(0, events[i].happen(tf)) {
			TH_LOG("could not %s", events[i].name);
		}
		EXPECT_EQ(0U, testfile_check_all(tf));
		/* A page touched before and one that is not yet. */
		write_and_check(_metadata, tf, SELF, MS, "store", 64, 32);
		write_and_check(_metadata, tf, SELF, MB, "store", 9000, 64);
		write_and_check(_metadata, tf, SELF, B, "pwrite", 9000, 128);
		testfile_remove(tf);
		tf->cases++;
	}
	tf->report.name[0] = '\0';
	expect_all_held(_metadata, tf);
	expect_passed_through(_metadata, tf);
}

/*
 * C11: the last descriptor is closed, the mapping lives on. A later open is
 * refused or coherent with the mapping, whichever mode the server asks for.
 */
static bool reopened_coherently(struct __test_metadata *_metadata, struct testfile *tf,
				enum server_mode mode)
{
	bool coherent = true;
	int err;

	server_set_mode(tf->report.sb->server, suite_mode(SERVER_PASSTHROUGH));
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(MS) | VIEW_BIT(B)));
	ASSERT_EQ(0U, testfile_check_all(tf));
	ASSERT_EQ(0, testfile_close_fd(tf, SELF, MS));

	server_set_mode(tf->report.sb->server, mode);
	err = testfile_open(tf, SELF, VIEW_BIT(F1));
	if (err == -EIO)
		goto out;	/* refused, as beside a live descriptor */
	ASSERT_EQ(0, err);
	/* Bring the page into the cache of FUSE, if that is what the open means. */
	coherent = !testfile_check_all(tf);
	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, 100));
	coherent &= !testfile_check(tf, 64, 100);
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, 120));
	coherent &= !testfile_check(tf, 64, 120);
out:
	testfile_remove(tf);
	return coherent;
}

TEST_F(coherency, mapping_outlives_close_and_passthrough_reopens)
{
	struct testfile *tf = self->tf;

	EXPECT_TRUE(reopened_coherently(_metadata, tf, suite_mode(SERVER_PASSTHROUGH)));
	expect_passed_through(_metadata, tf);
}

/* Known deviation D2 */
TEST_F(coherency, mapping_outlives_close_and_cached_reopens)
{
	self->tf->quiet = !deviation_strict();
	suite_deviation(_metadata, "D2",
			reopened_coherently(_metadata, self->tf, SERVER_CACHED));
}

SUITE_MAIN()
