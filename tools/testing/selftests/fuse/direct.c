// SPDX-License-Identifier: GPL-2.0
/*
 * FOPEN_PASSTHROUGH with FOPEN_DIRECT_IO: read(2) and write(2) go to the server,
 * mappings to the backing file (fuse-passthrough.rst). The server here answers
 * from a descriptor of its own on the same file, so that both must agree, as in
 * full passthrough.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "abi.h"
#include "backing_probe.h"
#include "suite_file.h"

FIXTURE(direct)
{
	struct sandbox sb;
	struct testfile *tf;
};

BACKING_VARIANTS(direct);

FIXTURE_SETUP(direct)
{
	suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH_DIRECT, &self->sb,
			  &self->tf);
	if (self->tf && server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI has no FOPEN_DIRECT_IO mode");
}

FIXTURE_TEARDOWN(direct)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

/* Readers that are handed bytes, and those that are handed pages. */
static bool copies(const struct action *a)
{
	return !(a->needs & ACTION_SPLICES);
}

static bool copies_briefly(const struct action *a)
{
	return copies(a) && testfile_reads_briefly(a);
}

static bool splices(const struct action *a)
{
	return a->needs & ACTION_SPLICES;
}

static void open_everywhere(struct __test_metadata *_metadata, struct testfile *tf)
{
	open_file(_metadata, tf, "file");
	ASSERT_EQ(0, testfile_open(tf, OTHER, VIEW_BIT(F1) | VIEW_BIT(MS) | VIEW_BIT(B)));
	ASSERT_EQ(0, testfile_fork(tf));
}

static const struct turn {
	enum actor_id who;
	enum view_id view;
	const char *action;
	int page, byte;
	size_t len;
} turns[] = {
	{ SELF,	 F1, "pwrite",	0, 100, 64 },	{ SELF,	 MS, "store",	0, 120, 64 },
	{ OTHER, F1, "write",	1, -32, 64 },	{ CHILD, MS, "store",	1, -50, 100 },
	{ SELF,	 F2, "writev",	2, 50, 5000 },	{ OTHER, MS, "store",	2, 60, 4000 },
	{ SELF,	 B,  "pwrite",	3, 10, 64 },	{ SELF,	 MB, "store",	3, 20, 64 },
	{ CHILD, F1, "pwrite",	3, 30, 64 },	{ SELF,	 MS, "store",	4, 0, 64 },
	{ SELF,	 FS, "pwrite",	4, 32, 64 },	{ SELF,	 F1, "splice-write", 5, 7, 3000 },
	{ SELF,	 MS, "store",	5, 100, 100 },	{ SELF,	 F2, "sendfile-write", 0, 90, 64 },
	{ OTHER, F1, "pwritev2-dsync", 6, 3, 70 }, { SELF, MS, "store",	6, 40, 64 },
	/* Whole blocks and their edges, for a server that takes them by O_DIRECT. */
	{ SELF,	 F1, "pwrite",	0, 4000, 9000 }, { SELF, MS, "store",	0, 4090, 4200 },
	{ OTHER, F1, "write",	3, 0, 4096 },	{ CHILD, MS, "store",	3, 4000, 200 },
};

/* True if after every turn everybody sees what was written. */
static bool all_turns_seen(struct __test_metadata *_metadata, struct testfile *tf)
{
	const long page = sysconf(_SC_PAGESIZE);
	const struct turn *t;
	bool seen = true;
	size_t i;
	int n;

	/* Twice, so that what the first round left in a cache is old in the second. */
	for (n = 0; n < 2; n++) {
		for (i = 0; i < ARRAY_SIZE(turns); i++) {
			t = &turns[i];
			ASSERT_EQ((ssize_t)t->len,
				  testfile_write(tf, t->who, t->view, action_find(t->action),
						 t->len, t->page * page + t->byte)) {
				TH_LOG("%s through %s", t->action, view_specs[t->view].name);
			}
			seen &= !testfile_check_all(tf);
		}
	}
	return seen;
}

/* C6: read and write ask the server, the mapping does not. */
static void expect_server_asked(struct __test_metadata *_metadata, struct testfile *tf)
{
	EXPECT_LT(0U, server_requests(tf->report.sb->server, FUSE_READ));
	EXPECT_LT(0U, server_requests(tf->report.sb->server, FUSE_WRITE));
}

/* C6 */
TEST_F(direct, server_and_mapping_agree)
{
	struct testfile *tf = self->tf;
	long cached;

	tf->reads = copies;
	open_everywhere(_metadata, tf);
	EXPECT_TRUE(all_turns_seen(_metadata, tf));
	expect_server_asked(_metadata, tf);
	cached = testfile_cached_pages(tf->actors[SELF].views[F1].fd);
	if (cached != -ENOSYS)
		EXPECT_EQ(0, cached);
}

/* C6: a file that grows by either way is as long in every view. */
TEST_F(direct, appended_bytes_are_seen_by_server_and_mapping)
{
	static const struct {
		enum view_id view;
		const char *action;
	} rows[] = {
		{ FA, "write" }, { FA, "writev" }, { F1, "pwritev2-append" }, { F1, "pwrite" },
		{ B, "pwrite" }, { FA, "pwrite" },
	};
	struct testfile *tf = self->tf;
	size_t i;

	tf->reads = copies;
	open_everywhere(_metadata, tf);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		/* The appending ones must know the size that the backing file has. */
		ASSERT_EQ(100, testfile_write(tf, SELF, rows[i].view, action_find(rows[i].action),
					      100, tf->oracle.size));
		EXPECT_EQ(0U, testfile_check_all(tf)) {
			TH_LOG("after %s through %s", rows[i].action,
			       view_specs[rows[i].view].name);
		}
		ASSERT_EQ(50, testfile_write(tf, SELF, MS, action_find("store"), 50,
					     tf->oracle.size - 70));
		EXPECT_EQ(0U, testfile_check_all(tf));
	}
	expect_server_asked(_metadata, tf);
}

/* C6: the server may bypass the cache that the mapping is of. */
TEST_F(direct, server_with_o_direct_and_mapping_agree)
{
	const struct server_options opt = {
		.mode = suite_mode(SERVER_PASSTHROUGH_DIRECT),
		.attr_timeout = LONG_TIMEOUT,
		.entry_timeout = LONG_TIMEOUT,
		.direct_io = true,
	};
	struct testfile *tf = self->tf;
	char why[128];

	if (backing_probe_direct(&self->sb, why, sizeof(why)) != SANDBOX_OK)
		SKIP(return, "%s", why);
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
		TH_LOG("%s", self->sb.why);
	}
	tf->reads = copies_briefly;
	open_everywhere(_metadata, tf);
	EXPECT_TRUE(all_turns_seen(_metadata, tf));
	expect_server_asked(_metadata, tf);
	EXPECT_LT(0U, server_direct_transfers(self->sb.server));
}

/* C6, known deviation D4: splice(2), tee(2) and sendfile(2) read a page cache of their own. */
TEST_F(direct, splice_and_mapping_agree)
{
	struct testfile *tf = self->tf;

	tf->reads = splices;
	tf->quiet = !deviation_strict();
	open_everywhere(_metadata, tf);
	suite_deviation(_metadata, "D4", all_turns_seen(_metadata, tf));
}

/*
 * T6, known deviation D12: where attributes may not be cached, no reader takes the end
 * that FUSE last knew for the end of the file.
 */
TEST_F(direct, growth_beside_is_read_asynchronously)
{
	const long page = sysconf(_SC_PAGESIZE);
	const off_t at = 7 * page;
	struct testfile *tf = self->tf;
	const struct action *a;
	bool holds = true, tried = false;

	server_set_timeouts(self->sb.server, 0, 0);
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
	ASSERT_EQ(1000, testfile_write(tf, SELF, B, action_find("pwrite"), 1000, at));
	/* The control: the bytes are there, for who waits for them. */
	ASSERT_EQ(1000, testfile_act(tf, SELF, F1, action_find("pread"), tf->buf, 1000, at));
	for (a = actions; a->name; a++) {
		if (a->kind != ACTION_READ || !(a->needs & ACTION_ASYNC) || action_missing(a))
			continue;
		tried = true;
		holds &= testfile_act(tf, SELF, F1, a, tf->buf, 1000, at) == 1000;
	}
	if (!tried)
		SKIP(return, "neither io_submit(2) nor io_uring");
	suite_deviation(_metadata, "D12", holds);
}

SUITE_MAIN()
