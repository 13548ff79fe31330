// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations of the kernel that fail, one after the other, under every operation on
 * a file opened in passthrough mode. What fails says so and leaves nothing behind:
 * the views agree, the next try works, nothing stays open.
 *
 * Only the calling thread's allocations fail: the server is never in want of memory.
 * The L ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/fsuid.h>

#include "fail_alloc.h"
#include "suite_file.h"
#include "tower.h"

/* An operation that makes more than these does not end. */
#define MOST_ALLOCATIONS	500

/* Registrations until each processor's reserve of nodes for ids is used up, and more. */
#define MANY_IDS		4096

#define NOBODY			65534

/* Bytes of an operation: across pages and into the hole, or as O_DIRECT has it. */
#define LENGTH			200

struct want {
	struct testfile *tf;
	struct fail_alloc fail;
	unsigned int failures;		/* of operations, for want of an allocation */
};

FIXTURE(no_memory)
{
	struct sandbox sb;
	struct want want;
};

FIXTURE_VARIANT(no_memory)
{
	const char *fs;
};

/* One that does direct I/O by itself and one that does not; others stop at less (EROFS). */
FIXTURE_VARIANT_ADD(no_memory, tmpfs) { .fs = "tmpfs" };
FIXTURE_VARIANT_ADD(no_memory, ext4) { .fs = "ext4" };

FIXTURE_SETUP(no_memory)
{
	char why[256];

	suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH, &self->sb, &self->want.tf);
	if (!self->want.tf)
		return;
	self->want.tf->reads = testfile_reads_briefly;
	SUITE_NEED(fail_alloc_create(&self->want.fail, &self->sb, why, sizeof(why)), why);
}

FIXTURE_TEARDOWN(no_memory)
{
	fail_alloc_destroy(&self->want.fail);
	testfile_free(self->want.tf);
	sandbox_destroy(&self->sb);
}

static ssize_t length_of(enum view_id view)
{
	return view == FD ? DIRECT_ALIGN : LENGTH;
}

static off_t start_of(const struct action *a, enum view_id view, const struct testfile *tf)
{
	if (a->needs & ACTION_AT_EOF)
		return tf->oracle.size;
	return view == FD ? 2 * page() : 3 * page() - LENGTH / 2;
}

/*
 * Does this action make sense on this view here? Registered buffers and rings are made
 * at the first use: that is not what shall fail.
 */
static bool is_row(struct testfile *tf, const struct action *a, enum view_id view)
{
	return (tf->views & VIEW_BIT(view)) && !action_missing(a) &&
	       action_fits(a, &view_specs[view], start_of(a, view, tf), length_of(view),
			   tf->oracle.size) &&
	       report_select(&tf->report, "%s,%s", a->name, view_specs[view].name);
}

/* What an action without memory may say; the pipes and files it makes on its way are its own. */
static bool is_want_of_memory(const struct action *a, ssize_t got)
{
	switch (got) {
	case -ENOMEM:
	case -EAGAIN:		/* io_submit(2) */
	case -ENFILE:		/* pipe(2) */
	case -ENOSPC:		/* memfd_create(2), as tmpfs has it */
	case -ECANCELED:	/* io_uring: what was linked to the request that failed */
		return true;
	case -EFAULT:		/* process_vm_readv(2), SIGBUS */
	case -EIO:		/* proc_pid_mem(5) */
		return a->needs & ACTION_ON_MAP;
	default:
		/* 0 were end of file, or a write that never ends. */
		return got > 0;
	}
}

/* The action, allocation @nth failing; *@hit: there was one. */
static ssize_t act_without(struct __test_metadata *_metadata, struct want *w, enum view_id view,
			   const struct action *a, off_t off, unsigned int nth, bool *hit)
{
	/* Those on mappings may ask for rights of their own. */
	bool as_nobody = !(a->needs & ACTION_ON_MAP);
	ssize_t got, len = length_of(view);
	struct testfile *tf = w->tf;

	if (as_nobody)
		setfsuid(NOBODY);
	ASSERT_EQ(0, fail_alloc_nth(&w->fail, nth));
	got = testfile_act(tf, SELF, view, a, tf->buf, len, off);
	*hit = fail_alloc_nth_end(&w->fail);
	if (as_nobody) {
		EXPECT_EQ(NOBODY, setfsuid(-1)) {
			TH_LOG("case %s, allocation %u: credentials of the registrant",
			       tf->report.name, nth);
		}
		setfsuid(0);
	}
	if (*hit && got != len)
		w->failures++;
	EXPECT_TRUE(got == len || action_declined(a, got) ||
		    (*hit && is_want_of_memory(a, got))) {
		TH_LOG("case %s, allocation %u %s: %zd %s", tf->report.name, nth,
		       *hit ? "failed" : "not reached", got, got < 0 ? strerror(-got) : "");
	}
	return got;
}

/* The oracle learns which bytes of the payload last drawn the backing file has. */
static void adopt(struct __test_metadata *_metadata, struct testfile *tf,
		  const struct action *a, enum view_id view, off_t off)
{
	unsigned char seen[DIRECT_ALIGN];
	ssize_t i, from, n;

	n = pread(fd_of(tf, B), seen, length_of(view), off);
	ASSERT_LE(0, n);
	for (i = 0; i < n; i++) {
		for (from = i; i < n && seen[i] == tf->buf[i]; i++)
			;
		if (i > from)
			oracle_wrote(&tf->oracle, "self", view_specs[view].name, a->name,
				     i - from, off + from);
	}
}

/* Write with allocation @nth failing, and again. Was there one? */
static bool write_once_without(struct __test_metadata *_metadata, struct want *w,
			       enum view_id view, const struct action *a, unsigned int nth)
{
	struct testfile *tf = w->tf;
	off_t off = start_of(a, view, tf);
	ssize_t got, len = length_of(view);
	bool hit;

	oracle_payload(&tf->oracle, tf->buf, len, off);
	got = act_without(_metadata, w, view, a, off, nth, &hit);
	adopt(_metadata, tf, a, view, off);
	/* What it says was moved was. */
	if (got > 0)
		oracle_wrote(&tf->oracle, "self", view_specs[view].name, a->name, got, off);
	EXPECT_EQ(0U, testfile_check_all(tf)) {
		TH_LOG("case %s: after allocation %u had failed and it had returned %zd",
		       tf->report.name, nth, got);
	}
	off = start_of(a, view, tf);
	EXPECT_EQ(len, testfile_write(tf, SELF, view, a, len, off)) {
		TH_LOG("case %s: tried again after allocation %u had failed", tf->report.name,
		       nth);
	}
	EXPECT_EQ(0U, testfile_check_all(tf));
	return hit;
}

static void write_without(struct __test_metadata *_metadata, struct want *w, enum view_id view,
			  const struct action *a)
{
	unsigned int nth;
	bool hit = true;

	for (nth = 1; hit; nth++) {
		ASSERT_GT(MOST_ALLOCATIONS, nth);
		ASSERT_EQ(0, testfile_renew(w->tf));
		hit = write_once_without(_metadata, w, view, a, nth);
	}
}

static void read_without(struct __test_metadata *_metadata, struct want *w,
			 enum view_id view, const struct action *a)
{
	struct testfile *tf = w->tf;
	struct oracle_mismatch m;
	unsigned int nth;
	bool hit = true;
	ssize_t got;
	off_t off;

	for (nth = 1; hit; nth++) {
		ASSERT_GT(MOST_ALLOCATIONS, nth);
		/* Pages that are not in the mapping yet. */
		ASSERT_EQ(0, testfile_renew(tf));
		off = start_of(a, view, tf);
		got = act_without(_metadata, w, view, a, off, nth, &hit);
		if (got > 0) {
			EXPECT_EQ(0, oracle_compare(&tf->oracle, tf->buf, got, off, &m)) {
				TH_LOG("case %s: wrong bytes from %lld", tf->report.name,
				       (long long)m.off);
			}
		}
		EXPECT_EQ(0U, testfile_check_all(tf));
	}
}

/* Rows ran, nothing went to the server, and something failed. */
static void expect_failures(struct __test_metadata *_metadata, struct want *w)
{
	w->tf->report.name[0] = '\0';
	expect_engaged(_metadata, w->tf);
	if (!getenv("FUSE_TEST_CASE"))
		EXPECT_NE(0U, w->failures);
}

/* L8 */
TEST_F(no_memory, failed_write_is_seen_by_every_view_or_by_none)
{
	static const enum view_id through[] = { F1, FA, FS, FD, MS };
	struct testfile *tf = self->want.tf;
	const struct action *a;
	size_t i;

	open_file(_metadata, tf, "file");
	for (a = actions; a->name; a++) {
		if (a->kind != ACTION_WRITE)
			continue;
		for (i = 0; i < ARRAY_SIZE(through); i++) {
			if (!is_row(tf, a, through[i]))
				continue;
			write_without(_metadata, &self->want, through[i], a);
			tf->cases++;
		}
	}
	expect_failures(_metadata, &self->want);
}

/* L8: the queue that ends asynchronous writes is made with the first one on a mount. */
TEST_F(no_memory, failed_first_asynchronous_write_is_seen_by_every_view_or_by_none)
{
	const struct action *a = action_find("aio-write");
	const struct server_options opt = {
		.mode = suite_mode(SERVER_PASSTHROUGH),
		.attr_timeout = LONG_TIMEOUT,
		.entry_timeout = LONG_TIMEOUT,
	};
	struct testfile *tf = self->want.tf;
	/* Direct ones are what it ends. */
	enum view_id view = tf->views & VIEW_BIT(FD) ? FD : F1;
	unsigned int nth;
	bool hit = true;

	if (action_missing(a))
		SKIP(return, "%s", action_missing(a));
	for (nth = 1; hit; nth++) {
		ASSERT_GT(MOST_ALLOCATIONS, nth);
		ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
			TH_LOG("%s", self->sb.why);
		}
		open_file(_metadata, tf, "file");
		/* ext4 does not leave one to the queue that has no blocks yet. */
		ASSERT_EQ(0, fsync(fd_of(tf, B)));
		hit = write_once_without(_metadata, &self->want, view, a, nth);
		expect_passed_through(_metadata, tf);
		testfile_remove(tf);
	}
	EXPECT_NE(0U, self->want.failures);
}

/* L8 */
TEST_F(no_memory, failed_read_gives_no_wrong_bytes)
{
	static const enum view_id through[] = { F1, FD, MR };
	struct testfile *tf = self->want.tf;
	const struct action *a;
	size_t i;

	open_file(_metadata, tf, "file");
	for (a = actions; a->name; a++) {
		if (a->kind != ACTION_READ)
			continue;
		for (i = 0; i < ARRAY_SIZE(through); i++) {
			if (!is_row(tf, a, through[i]))
				continue;
			read_without(_metadata, &self->want, through[i], a);
			tf->cases++;
		}
	}
	expect_failures(_metadata, &self->want);
}

static void open_without(struct __test_metadata *_metadata, struct want *w,
			 enum view_id id)
{
	const struct view_spec *spec = &view_specs[id];
	struct testfile *tf = w->tf;
	unsigned int nth;
	struct view v;
	bool hit = true;
	int err;

	for (nth = 1; hit; nth++) {
		ASSERT_GT(MOST_ALLOCATIONS, nth);
		setfsuid(NOBODY);
		ASSERT_EQ(0, fail_alloc_nth(&w->fail, nth));
		err = view_open(&v, spec, tf->fuse, TESTFILE_ROOM);
		hit = fail_alloc_nth_end(&w->fail);
		EXPECT_EQ(NOBODY, setfsuid(-1));
		setfsuid(0);
		w->failures += err != 0;
		/* The kernel says EIO to all that goes wrong with the backing file. */
		EXPECT_TRUE(err == 0 || (hit && (err == -ENOMEM || err == -EIO))) {
			TH_LOG("%s, allocation %u: %s", spec->name, nth, strerror(-err));
		}
		if (!err)
			view_close(&v);
		ASSERT_EQ(0, view_open(&v, spec, tf->fuse, TESTFILE_ROOM)) {
			TH_LOG("%s: not even after allocation %u had failed", spec->name, nth);
		}
		view_close(&v);
	}
}

/* L8: the next open(2) or mmap(2) works, and the server is told of the end of each open. */
TEST_F(no_memory, failed_open_holds_nothing)
{
	struct server *server = self->sb.server;
	struct testfile *tf = self->want.tf;
	enum view_id id;
	uint64_t opens;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	for (id = 0; id < NR_VIEW_SPECS; id++) {
		if (view_specs[id].side == VIEW_FUSE &&
		    (id >= NR_VIEWS || tf->views & VIEW_BIT(id))) {
			server_set_mode(server, suite_mode(view_specs[id].mode));
			open_without(_metadata, &self->want, id);
		}
	}
	EXPECT_NE(0U, self->want.failures);
	opens = server_requests(server, FUSE_OPEN);
	EXPECT_EQ(0, server_wait_requests(server, FUSE_RELEASE, opens));
	EXPECT_EQ(opens, server_requests(server, FUSE_RELEASE));
	/* The mode it was opened in last is over. */
	server_set_mode(server, suite_mode(SERVER_PASSTHROUGH));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	EXPECT_EQ(0U, testfile_check_all(tf));
}

static void expect_unpinned(struct __test_metadata *_metadata, struct tower *t)
{
	EXPECT_TRUE(can_unmount_below_soon(t)) {
		TH_LOG("pinned by what failed: %s", strerror(errno));
	}
	umount2(t->below, MNT_DETACH);
}

/* L8: neither the backing file nor its file system is held by an open that failed. */
TEST_F(no_memory, failed_open_does_not_pin_the_backing_file)
{
	struct server *server = self->sb.server;
	struct tower t = {};
	int32_t id;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 opens no backing file");
	id = register_tower_file(&self->sb, &t);
	ASSERT_LT(0, id);
	ASSERT_EQ(0, testfile_create(self->want.tf, "file"));
	server_set_open_reply(server, FOPEN_PASSTHROUGH, id);
	open_without(_metadata, &self->want, MS);
	EXPECT_NE(0U, self->want.failures);
	EXPECT_EQ(0, server_backing_close(server, id));
	expect_unpinned(_metadata, &t);
}

/* L8: a registration fails whole, and holds nothing. */
TEST_F(no_memory, failed_registration_holds_nothing)
{
	struct server *server = self->sb.server;
	struct tower t = {};
	unsigned int nth;
	bool hit = true;
	int32_t id;
	int fd;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 has no BACKING_CLOSE");
	fd = make_tower_file(&self->sb, &t);
	ASSERT_LE(0, fd);
	for (nth = 1; hit; nth++) {
		ASSERT_GT(MOST_ALLOCATIONS, nth);
		ASSERT_EQ(0, fail_alloc_nth(&self->want.fail, nth));
		id = server_backing_open(server, fd);
		hit = fail_alloc_nth_end(&self->want.fail);
		EXPECT_TRUE(id > 0 || (hit && id == -ENOMEM)) {
			TH_LOG("allocation %u: %s", nth, strerror(-id));
		}
		self->want.failures += id < 0;
		/* Not used: it may have no credentials, see the next test. */
		if (id > 0)
			EXPECT_EQ(0, server_backing_close(server, id));
	}
	EXPECT_NE(0U, self->want.failures);
	close(fd);
	expect_unpinned(_metadata, &t);
}

/* L8: whoever opened with such an id would act with no credentials at all. */
TEST_F(no_memory, registration_without_credentials_fails)
{
	struct server *server = self->sb.server;
	struct tower t = {};
	unsigned int needed;
	char why[256];
	int32_t id;
	int fd;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 keeps credentials otherwise");
	fd = make_tower_file(&self->sb, &t);
	ASSERT_LE(0, fd);
	SUITE_NEED(fail_alloc_from(&self->want.fail, "cred", why, sizeof(why)), why);
	id = server_backing_open(server, fd);
	/* Those of the caller, with one more user, need no memory. */
	needed = fail_alloc_from_end(&self->want.fail);
	EXPECT_TRUE(id > 0 || id == -ENOMEM);
	/* Not used: the kernel would crash. */
	if (id > 0)
		EXPECT_EQ(0, server_backing_close(server, id));
	close(fd);
	expect_unpinned(_metadata, &t);
	suite_deviation(_metadata, "D14", !needed || id == -ENOMEM);
}

/* L8: no memory for one more id. The reserve for ids lasts for some registrations. */
TEST_F(no_memory, registration_without_an_id_holds_nothing)
{
	struct server *server = self->sb.server;
	static int32_t ids[MANY_IDS];
	struct tower t = {};
	char why[256];
	int fd, n;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 has ids of its own");
	fd = make_tower_file(&self->sb, &t);
	ASSERT_LE(0, fd);
	SUITE_NEED(fail_alloc_from(&self->want.fail, "radix_tree_node", why, sizeof(why)), why);
	for (n = 0; n < MANY_IDS; n++) {
		ids[n] = server_backing_open(server, fd);
		if (ids[n] < 0)
			break;
	}
	fail_alloc_from_end(&self->want.fail);
	ASSERT_GT(MANY_IDS, n) {
		TH_LOG("no registration failed");
	}
	EXPECT_EQ(-ENOMEM, ids[n]);
	/* With memory there is an id again. */
	ids[n] = server_backing_open(server, fd);
	EXPECT_LT(0, ids[n]);
	for (; n >= 0; n--)
		EXPECT_EQ(0, server_backing_close(server, ids[n]));
	close(fd);
	expect_unpinned(_metadata, &t);
}

SUITE_MAIN()
