// SPDX-License-Identifier: GPL-2.0
/*
 * Which open modes an inode takes beside each other, and what may be mapped.
 *
 * The first open of a file decides: either its pages are cached by FUSE or its
 * io goes to one backing file. The other kind is refused until the last file of
 * the first kind is gone, direct-io stands between the two (the io modes of
 * Linux 6.9, fuse-io.rst and fuse-passthrough.rst). A wrong mode is a mistake of
 * the server, and its every mistake is EIO for who opens.
 *
 * The M ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "fault.h"
#include "suite.h"
#include "testfile.h"

/* What the server answers to an open. */
enum kind {
	CACHED,
	KEEP_CACHE,
	DIRECT,
	PARALLEL,	/* direct, FOPEN_PARALLEL_DIRECT_WRITES */
	PASSTHROUGH,
	PT_DIRECT,	/* passthrough, FOPEN_DIRECT_IO */
	OTHER_ID,	/* passthrough, another id of the same backing file */
	OTHER_FILE,	/* passthrough, the id of another backing file */
	CLOSED_ID,	/* passthrough, an id that was closed */
	BAD_ID,		/* passthrough, an id that never was */
	BAD_FLAG,	/* passthrough, FOPEN_KEEP_CACHE */
	KINDS,
	NOTHING = KINDS	/* not opened before */
};

static const char *const kind_names[] = {
	"cached", "keep_cache", "direct", "parallel", "passthrough", "passthrough|direct",
	"other-id", "other-file", "closed-id", "bad-id", "bad-flag", "nothing",
};

/*
 * errno of an open, by what is open already. What has been refused counts as
 * nothing, and everything is as for nothing again after the last close.
 *
 * Two ids of one backing file are two backing files to the kernel: it compares
 * what the ids stand for, not inodes.
 */
#define BEFORE_ANYTHING							\
	{ 0,	0,	0,	0,	0,	0,	0,	0,	EIO,	EIO,	EIO }
#define AFTER_CACHED							\
	{ 0,	0,	0,	0,	EIO,	EIO,	EIO,	EIO,	EIO,	EIO,	EIO }
#define AFTER_PASSTHROUGH						\
	{ EIO,	EIO,	EIO,	EIO,	0,	0,	EIO,	EIO,	EIO,	EIO,	EIO }
#define AFTER_OTHER_ID							\
	{ EIO,	EIO,	EIO,	EIO,	EIO,	EIO,	0,	EIO,	EIO,	EIO,	EIO }
#define AFTER_OTHER_FILE						\
	{ EIO,	EIO,	EIO,	EIO,	EIO,	EIO,	EIO,	0,	EIO,	EIO,	EIO }

static const int open_errno[][KINDS] = {
	/* cached keep	direct	parall.	passthr	pt|dir	o-id	o-file	closed	badid	badflag */
	[NOTHING] =	BEFORE_ANYTHING,
	[CACHED] =	AFTER_CACHED,
	[KEEP_CACHE] =	AFTER_CACHED,
	[DIRECT] =	BEFORE_ANYTHING,
	[PARALLEL] =	BEFORE_ANYTHING,
	[PASSTHROUGH] =	AFTER_PASSTHROUGH,
	[PT_DIRECT] =	AFTER_PASSTHROUGH,
	[OTHER_ID] =	AFTER_OTHER_ID,
	[OTHER_FILE] =	AFTER_OTHER_FILE,
	[CLOSED_ID] =	BEFORE_ANYTHING,
	[BAD_ID] =	BEFORE_ANYTHING,
	[BAD_FLAG] =	BEFORE_ANYTHING,
};

/* First byte of the file, and of the other backing file. */
#define THIS_FILE	'F'
#define ANOTHER_FILE	'O'

struct opened {
	int fd;
	char *map;
};

struct modes {
	struct report_case report;
	struct server *server;
	char path[PATH_MAX];		/* through FUSE */
	char backing[PATH_MAX];
	int32_t ids[KINDS];		/* what is answered; 0 where the server decides */
	struct opened files[3];
	unsigned int rows;
};

FIXTURE(modes)
{
	struct sandbox sb;
	struct modes m;
};

BACKING_VARIANTS(modes);

static int backing_file(const char *path, char content)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0 && pwrite(fd, &content, 1, 0) != 1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Backing files and ids for every kind of answer. */
static void prepare(struct __test_metadata *_metadata, struct modes *m)
{
	char other[PATH_MAX];
	int fd, other_fd;

	snprintf(m->path, sizeof(m->path), "%.4000s/file", m->report.sb->mnt);
	snprintf(m->backing, sizeof(m->backing), "%.4000s/file", m->report.sb->backing);
	snprintf(other, sizeof(other), "%.4000s/other", m->report.sb->backing);
	fd = backing_file(m->backing, THIS_FILE);
	other_fd = backing_file(other, ANOTHER_FILE);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, other_fd);
	m->ids[OTHER_ID] = server_backing_open(m->server, fd);
	m->ids[OTHER_FILE] = server_backing_open(m->server, other_fd);
	m->ids[CLOSED_ID] = server_backing_open(m->server, fd);
	m->ids[BAD_FLAG] = server_backing_open(m->server, fd);
	m->ids[BAD_ID] = INT32_MAX;
	close(fd);
	close(other_fd);
	ASSERT_LT(0, m->ids[OTHER_ID]);
	ASSERT_LT(0, m->ids[OTHER_FILE]);
	ASSERT_LT(0, m->ids[BAD_FLAG]);
	ASSERT_EQ(0, server_backing_close(m->server, m->ids[CLOSED_ID]));
}

FIXTURE_SETUP(modes)
{
	struct modes *m = &self->m;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(m->files); i++)
		m->files[i] = (struct opened) { -1, MAP_FAILED };
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI has no io modes");
	m->server = self->sb.server;
	m->report = suite_case(_metadata, variant->fs, &self->sb);
	prepare(_metadata, m);
}

/* --- opening and mapping ---------------------------------------------------- */

static void answer_as(struct modes *m, enum kind kind)
{
	uint32_t flags = FOPEN_PASSTHROUGH;

	if (kind <= PT_DIRECT) {
		/* In the order of enum server_mode. */
		server_set_mode(m->server, suite_mode((enum server_mode)kind));
		return;
	}
	if (kind == BAD_FLAG)
		flags |= FOPEN_KEEP_CACHE;
	server_set_open_reply(m->server, flags, m->ids[kind]);
}

/* 0 or errno of open(2). */
static int open_as(struct modes *m, int slot, enum kind kind, int flags)
{
	answer_as(m, kind);
	m->files[slot].fd = open(m->path, O_RDWR | O_CLOEXEC | flags, 0644);
	return m->files[slot].fd < 0 ? errno : 0;
}

/* 0 or errno of mmap(2). */
static int map(struct modes *m, int slot, int prot, int flags)
{
	m->files[slot].map = mmap(NULL, 1, prot, flags, m->files[slot].fd, 0);
	return m->files[slot].map == MAP_FAILED ? errno : 0;
}

static void unmap(struct modes *m, int slot)
{
	if (m->files[slot].map != MAP_FAILED)
		munmap(m->files[slot].map, 1);
	m->files[slot].map = MAP_FAILED;
}

static void close_file(struct modes *m, int slot)
{
	if (m->files[slot].fd >= 0)
		close(m->files[slot].fd);
	m->files[slot].fd = -1;
}

static void close_all(struct modes *m)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(m->files); i++) {
		unmap(m, i);
		close_file(m, i);
	}
}

/* Even a refused open has a RELEASE, and none has two. */
static void expect_all_released(struct __test_metadata *_metadata, struct modes *m)
{
	uint64_t opens;

	close_all(m);
	opens = server_requests(m->server, FUSE_OPEN) + server_requests(m->server, FUSE_CREATE);
	EXPECT_EQ(0, server_wait_requests(m->server, FUSE_RELEASE, opens));
	EXPECT_EQ(opens, server_requests(m->server, FUSE_RELEASE)) {
		TH_LOG("case %s: as many RELEASE as OPEN and CREATE", m->report.name);
		report_rerun(&m->report);
	}
}

FIXTURE_TEARDOWN(modes)
{
	close_all(&self->m);
	sandbox_destroy(&self->sb);
}

/* --- M1: one open after another ---------------------------------------------- */

static void expect_open(struct __test_metadata *_metadata, struct modes *m, int slot,
			enum kind kind, int want, const char *when)
{
	int err = open_as(m, slot, kind, 0);

	EXPECT_EQ(want, err) {
		report_line("OPEN MODE: %s %s: \"%s\", expected \"%s\"", kind_names[kind], when,
			    strerror(err), strerror(want));
		report_line("  backing %s, case %s", m->report.sb->fs, m->report.name);
		report_rerun(&m->report);
	}
}

/* An accepted open reads the file that the answer stands for. */
static void expect_content(struct __test_metadata *_metadata, struct modes *m, int slot,
			   enum kind kind)
{
	char want = kind == OTHER_FILE ? ANOTHER_FILE : THIS_FILE;
	char seen = 0;

	if (m->files[slot].fd < 0)
		return;
	EXPECT_EQ(1, pread(m->files[slot].fd, &seen, 1, 0));
	EXPECT_EQ(want, seen) {
		TH_LOG("%s reads the wrong file, case %s", kind_names[kind], m->report.name);
		report_rerun(&m->report);
	}
}

/* M1: every ordered pair of answers. */
TEST_F(modes, every_pair_of_opens_follows_the_table)
{
	struct modes *m = &self->m;
	enum kind first, second;

	for (first = 0; first < KINDS; first++) {
		for (second = 0; second < KINDS; second++) {
			if (!report_select(&m->report, "%s,%s", kind_names[first],
					   kind_names[second]))
				continue;
			expect_open(_metadata, m, 0, first, open_errno[NOTHING][first], "alone");
			expect_open(_metadata, m, 1, second, open_errno[first][second], "second");
			expect_content(_metadata, m, 0, first);
			expect_content(_metadata, m, 1, second);
			close_all(m);
			/* The mode has gone with the last file, before its RELEASE is seen. */
			expect_open(_metadata, m, 0, second, open_errno[NOTHING][second],
				    "after all was closed");
			expect_all_released(_metadata, m);
			m->rows++;
		}
	}
	EXPECT_NE(0U, m->rows);
}

/* M1: FOPEN_* bits other than these three are refused beside FOPEN_PASSTHROUGH. */
TEST_F(modes, passthrough_takes_no_other_flag)
{
	static const struct {
		const char *name;
		uint32_t flag;
		int error;
	} flags[] = {
		{ "direct_io",		FOPEN_DIRECT_IO,		0 },
		{ "keep_cache",		FOPEN_KEEP_CACHE,		EIO },
		{ "nonseekable",	FOPEN_NONSEEKABLE,		EIO },
		{ "cache_dir",		FOPEN_CACHE_DIR,		EIO },
		{ "stream",		FOPEN_STREAM,			EIO },
		{ "noflush",		FOPEN_NOFLUSH,			0 },
		{ "parallel",		FOPEN_PARALLEL_DIRECT_WRITES,	0 },
	};
	struct modes *m = &self->m;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!report_select(&m->report, "%s", flags[i].name))
			continue;
		server_set_open_reply(m->server, FOPEN_PASSTHROUGH | flags[i].flag,
				      m->ids[OTHER_ID]);
		fd = open(m->path, O_RDWR | O_CLOEXEC);
		EXPECT_EQ(flags[i].error, fd < 0 ? errno : 0) {
			TH_LOG("FOPEN_PASSTHROUGH with %s", flags[i].name);
			report_rerun(&m->report);
		}
		if (fd >= 0)
			close(fd);
		m->rows++;
	}
	m->report.name[0] = '\0';
	expect_all_released(_metadata, m);
	EXPECT_NE(0U, m->rows);
}

/* M1: CREATE is answered by the same rules; a refused one leaves no file open. */
TEST_F(modes, create_follows_the_table)
{
	struct modes *m = &self->m;
	enum kind kind;
	int want;

	for (kind = 0; kind < KINDS; kind++) {
		if (!report_select(&m->report, "%s", kind_names[kind]))
			continue;
		snprintf(m->path, sizeof(m->path), "%.4000s/created-%d", m->report.sb->mnt, kind);
		want = open_errno[NOTHING][kind];
		EXPECT_EQ(want, open_as(m, 0, kind, O_CREAT | O_EXCL)) {
			TH_LOG("create as %s", kind_names[kind]);
			report_rerun(&m->report);
		}
		expect_all_released(_metadata, m);
		EXPECT_EQ(0, unlink(m->path));
		m->rows++;
	}
	EXPECT_NE(0U, m->rows);
}

/* --- M1, M3: longer stories --------------------------------------------------- */

enum step_op { END, OPEN, CLOSE, MAP_SH, MAP_PR, UNMAP };

struct step {
	enum step_op op;
	int slot;		/* which of the files */
	enum kind kind;		/* of an open */
	int error;		/* expected errno */
};

static const struct story {
	const char *name;
	struct step steps[8];
} stories[] = {
	/* M1: three opens */
	{ "refused-open-leaves-no-mode", {
		{ OPEN, 0, PASSTHROUGH, 0 }, { OPEN, 1, CACHED, EIO }, { CLOSE, 0, 0, 0 },
		{ OPEN, 1, CACHED, 0 }, { OPEN, 0, PASSTHROUGH, EIO } } },
	{ "mode-lasts-to-the-last-passthrough-file", {
		{ OPEN, 0, PASSTHROUGH, 0 }, { OPEN, 1, PT_DIRECT, 0 }, { CLOSE, 0, 0, 0 },
		{ OPEN, 2, CACHED, EIO }, { CLOSE, 1, 0, 0 }, { OPEN, 2, CACHED, 0 } } },
	{ "mode-lasts-to-the-last-cached-file", {
		{ OPEN, 0, CACHED, 0 }, { OPEN, 1, KEEP_CACHE, 0 }, { CLOSE, 0, 0, 0 },
		{ OPEN, 2, PASSTHROUGH, EIO }, { CLOSE, 1, 0, 0 }, { OPEN, 2, PASSTHROUGH, 0 } } },
	{ "direct-file-stays-beside-passthrough", {
		{ OPEN, 0, DIRECT, 0 }, { OPEN, 1, PASSTHROUGH, 0 }, { OPEN, 2, CACHED, EIO },
		{ CLOSE, 1, 0, 0 }, { OPEN, 2, CACHED, 0 }, { OPEN, 1, PASSTHROUGH, EIO } } },
	{ "direct-file-stays-beside-cached", {
		{ OPEN, 0, CACHED, 0 }, { OPEN, 1, PARALLEL, 0 }, { OPEN, 2, PASSTHROUGH, EIO },
		{ CLOSE, 0, 0, 0 }, { OPEN, 2, PASSTHROUGH, 0 }, { OPEN, 0, CACHED, EIO } } },
	{ "backing-file-is-chosen-anew-after-the-last-close", {
		{ OPEN, 0, PASSTHROUGH, 0 }, { OPEN, 1, OTHER_FILE, EIO }, { CLOSE, 0, 0, 0 },
		{ OPEN, 1, OTHER_FILE, 0 }, { OPEN, 0, PASSTHROUGH, EIO },
		{ OPEN, 2, OTHER_FILE, 0 } } },
	/* M3: a mapping holds its file, and so the mode, past close(2) */
	{ "cached-map-refuses-passthrough", {
		{ OPEN, 0, CACHED, 0 }, { MAP_SH, 0, 0, 0 }, { CLOSE, 0, 0, 0 },
		{ OPEN, 1, PASSTHROUGH, EIO }, { UNMAP, 0, 0, 0 }, { OPEN, 1, PASSTHROUGH, 0 } } },
	{ "cached-private-map-refuses-passthrough", {
		{ OPEN, 0, CACHED, 0 }, { MAP_PR, 0, 0, 0 }, { CLOSE, 0, 0, 0 },
		{ OPEN, 1, PASSTHROUGH, EIO }, { UNMAP, 0, 0, 0 }, { OPEN, 1, PASSTHROUGH, 0 } } },
	{ "direct-private-map-is-no-cache", {
		{ OPEN, 0, DIRECT, 0 }, { MAP_PR, 0, 0, 0 }, { OPEN, 1, PASSTHROUGH, 0 } } },
	{ "direct-file-is-not-mapped-beside-passthrough", {
		{ OPEN, 0, DIRECT, 0 }, { OPEN, 1, PASSTHROUGH, 0 }, { MAP_SH, 0, 0, ENODEV },
		{ MAP_PR, 0, 0, ENODEV }, { CLOSE, 1, 0, 0 }, { MAP_PR, 0, 0, 0 } } },
};

/* These need FUSE_DIRECT_IO_ALLOW_MMAP. */
static const struct story direct_map_stories[] = {
	/* M3: the first shared map of a direct file makes it a cached one, for good */
	{ "direct-shared-map-refuses-passthrough-until-close", {
		{ OPEN, 0, DIRECT, 0 }, { MAP_SH, 0, 0, 0 }, { OPEN, 1, PASSTHROUGH, EIO },
		{ UNMAP, 0, 0, 0 }, { OPEN, 1, PASSTHROUGH, EIO }, { CLOSE, 0, 0, 0 },
		{ OPEN, 1, PASSTHROUGH, 0 } } },
	{ "direct-shared-map-outlives-close", {
		{ OPEN, 0, PARALLEL, 0 }, { MAP_SH, 0, 0, 0 }, { CLOSE, 0, 0, 0 },
		{ OPEN, 1, PASSTHROUGH, EIO }, { UNMAP, 0, 0, 0 }, { OPEN, 1, PASSTHROUGH, 0 } } },
	{ "direct-shared-maps-of-one-file-are-one-cache", {
		{ OPEN, 0, DIRECT, 0 }, { MAP_SH, 0, 0, 0 }, { UNMAP, 0, 0, 0 },
		{ MAP_SH, 0, 0, 0 }, { CLOSE, 0, 0, 0 }, { UNMAP, 0, 0, 0 },
		{ OPEN, 1, PASSTHROUGH, 0 } } },
	{ "direct-file-is-mapped-after-passthrough", {
		{ OPEN, 0, DIRECT, 0 }, { OPEN, 1, PASSTHROUGH, 0 }, { MAP_SH, 0, 0, ENODEV },
		{ CLOSE, 1, 0, 0 }, { MAP_SH, 0, 0, 0 }, { OPEN, 1, PASSTHROUGH, EIO } } },
};

static int take_step(struct modes *m, const struct step *s)
{
	switch (s->op) {
	case OPEN:
		return open_as(m, s->slot, s->kind, 0);
	case CLOSE:
		close_file(m, s->slot);
		return 0;
	case MAP_SH:
		return map(m, s->slot, PROT_READ | PROT_WRITE, MAP_SHARED);
	case MAP_PR:
		return map(m, s->slot, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	case UNMAP:
		unmap(m, s->slot);
		return 0;
	case END:
		break;
	}
	return 0;
}

static void tell(struct __test_metadata *_metadata, struct modes *m, const struct story *story)
{
	const struct step *s;
	int err;

	if (!report_select(&m->report, "%s", story->name))
		return;
	for (s = story->steps; s->op != END; s++) {
		err = take_step(m, s);
		EXPECT_EQ(s->error, err) {
			report_line("OPEN MODE: step %td of %s: \"%s\", expected \"%s\"",
				    s - story->steps + 1, story->name, strerror(err),
				    strerror(s->error));
			report_rerun(&m->report);
		}
	}
	/* RELEASEs that a broken rule may have upset are not waited for. */
	if (_metadata->exit_code == KSFT_FAIL)
		close_all(m);
	else
		expect_all_released(_metadata, m);
	m->rows++;
}

/* M1, M3 */
TEST_F(modes, mode_lasts_as_long_as_what_made_it)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(stories); i++)
		tell(_metadata, &self->m, &stories[i]);
	EXPECT_NE(0U, self->m.rows);
}

/* Serve again with or without FUSE_DIRECT_IO_ALLOW_MMAP. False: the kernel has it not (6.6). */
static bool allow_direct_mmap(struct __test_metadata *_metadata, struct modes *m,
			      struct sandbox *sb, bool allow)
{
	struct server_options opt = {
		.mode = suite_mode(SERVER_PASSTHROUGH),
		.attr_timeout = LONG_TIMEOUT,
		.entry_timeout = LONG_TIMEOUT,
	};

	if (!(server_init_offered(m->server) & FUSE_DIRECT_IO_ALLOW_MMAP))
		return !allow;
	if (allow)
		opt.init_set = FUSE_DIRECT_IO_ALLOW_MMAP;
	else
		opt.init_clear = FUSE_DIRECT_IO_ALLOW_MMAP;
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(sb, &opt)) {
		TH_LOG("remount: %s", sb->why);
	}
	m->server = sb->server;
	prepare(_metadata, m);
	return true;
}

#define REQUIRE_DIRECT_MMAP()							\
	do {									\
		if (!allow_direct_mmap(_metadata, &self->m, &self->sb, true))	\
			SKIP(return, "no FUSE_DIRECT_IO_ALLOW_MMAP (Linux 6.6)"); \
	} while (0)

/* M3: FUSE_DIRECT_IO_ALLOW_MMAP */
TEST_F(modes, shared_map_of_direct_file_is_a_cache)
{
	size_t i;

	REQUIRE_DIRECT_MMAP();
	for (i = 0; i < ARRAY_SIZE(direct_map_stories); i++)
		tell(_metadata, &self->m, &direct_map_stories[i]);
	EXPECT_NE(0U, self->m.rows);
}

/* --- M2: what may be mapped --------------------------------------------------- */

static const struct map_kind {
	const char *name;
	int prot, flags;
} map_kinds[] = {
	{ "shared-rw",	PROT_READ | PROT_WRITE,	MAP_SHARED },
	{ "shared-ro",	PROT_READ,		MAP_SHARED },
	{ "private",	PROT_READ | PROT_WRITE,	MAP_PRIVATE },
};

/* A direct file has no cache to share, unless FUSE_DIRECT_IO_ALLOW_MMAP says otherwise. */
static int mmap_errno(enum kind kind, const struct map_kind *k, bool allowed)
{
	if ((kind == DIRECT || kind == PARALLEL) && k->flags == MAP_SHARED && !allowed)
		return ENODEV;
	return 0;
}

static void map_every_kind(struct __test_metadata *_metadata, struct modes *m, bool allowed)
{
	enum kind kind;
	char seen = 0;
	size_t i;
	int err, want;

	for (kind = CACHED; kind <= PT_DIRECT; kind++) {
		for (i = 0; i < ARRAY_SIZE(map_kinds); i++) {
			if (!report_select(&m->report, "%s,%s", kind_names[kind],
					   map_kinds[i].name))
				continue;
			ASSERT_EQ(0, open_as(m, 0, kind, 0));
			want = mmap_errno(kind, &map_kinds[i], allowed);
			err = map(m, 0, map_kinds[i].prot, map_kinds[i].flags);
			EXPECT_EQ(want, err) {
				TH_LOG("mmap %s of %s", map_kinds[i].name, kind_names[kind]);
				report_rerun(&m->report);
			}
			if (!err && map_kinds[i].prot & PROT_READ) {
				EXPECT_EQ(0, fault_copy(&seen, m->files[0].map, 1, NULL));
				EXPECT_EQ(THIS_FILE, seen);
			}
			expect_all_released(_metadata, m);
			m->rows++;
		}
	}
	EXPECT_NE(0U, m->rows);
}

/* M2 */
TEST_F(modes, direct_file_is_not_mapped_shared)
{
	ASSERT_TRUE(allow_direct_mmap(_metadata, &self->m, &self->sb, false));
	map_every_kind(_metadata, &self->m, false);
}

/* M2 */
TEST_F(modes, direct_file_is_mapped_shared_if_allowed)
{
	REQUIRE_DIRECT_MMAP();
	map_every_kind(_metadata, &self->m, true);
}

/* M2: and what is mapped so is coherent with read and write of direct files. */
TEST_F(modes, direct_file_agrees_with_its_map)
{
	static const struct {
		enum view_id view;
		const char *action;
		size_t len;
		off_t off;
	} writes[] = {
		{ F1, "pwrite", 64, 100 },	{ MS, "store", 64, 120 },
		{ F2, "writev", 5000, 3000 },	{ MS, "store", 5000, 4000 },
		{ F1, "splice-write", 300, 0 },	{ MS, "store", 64, 200 },
		{ F2, "pwrite", 9000, 9000 },	{ MS, "store", 1, 9000 },
	};
	struct testfile *tf;
	enum server_mode mode;
	size_t i;

	REQUIRE_DIRECT_MMAP();
	tf = testfile_new(&self->m.report);
	ASSERT_NE(NULL, tf);
	for (mode = SERVER_DIRECT; mode <= SERVER_DIRECT_PARALLEL; mode++) {
		server_set_mode(self->m.server, mode);
		ASSERT_EQ(0, testfile_create(tf, "direct"));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(F2) |
					   VIEW_BIT(MS) | VIEW_BIT(MR)));
		EXPECT_EQ(0U, testfile_check_all(tf));
		for (i = 0; i < ARRAY_SIZE(writes); i++) {
			ASSERT_EQ((ssize_t)writes[i].len,
				  testfile_write(tf, SELF, writes[i].view,
						 action_find(writes[i].action), writes[i].len,
						 writes[i].off));
			EXPECT_EQ(0U, testfile_check_all(tf)) {
				TH_LOG("%s: after %s through %s", server_mode_name(mode),
				       writes[i].action, view_specs[writes[i].view].name);
			}
		}
		EXPECT_LT(0U, server_requests(self->m.server, FUSE_WRITE));
		/* What was stored last reaches the backing file by msync(2). */
		ASSERT_EQ(100, testfile_write(tf, SELF, MS, action_find("store"), 100, 50));
		EXPECT_EQ(0, msync(tf->actors[SELF].views[MS].map, TESTFILE_SIZE, MS_SYNC));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(B)));
		EXPECT_EQ(0U, testfile_check_all(tf)) {
			TH_LOG("%s: after msync", server_mode_name(mode));
		}
		testfile_remove(tf);
	}
	testfile_free(tf);
}

SUITE_MAIN()
