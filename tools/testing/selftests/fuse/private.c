// SPDX-License-Identifier: GPL-2.0
/*
 * Private mappings of a file opened in passthrough mode, mmap(2), MAP_PRIVATE:
 * stores never reach the file, nor anybody else; a page stored to is the
 * process's own from then on. Whether a page not stored to shows later changes
 * of the file is unspecified: it may show the old bytes or the new, no others.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "fault.h"
#include "suite_file.h"

/* A private mapping as one process has it. In shared memory, so that each can check its own. */
struct private {
	struct testfile *tf;
	struct view view;		/* at the same address in a child */
	struct oracle own;		/* what its own pages hold */
	struct oracle before;		/* the file as it was when mapped */
	bool owned[TESTFILE_PAGES];
	size_t len;			/* what is asked of it */
	off_t off;
};

FIXTURE(private)
{
	struct sandbox sb;
	struct testfile *tf;
	struct private *mine, *forked;
};

BACKING_VARIANTS(private);

static struct private *private_new(struct testfile *tf)
{
	struct private *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p->tf = tf;
	if (!oracle_init(&p->own, TESTFILE_ROOM) && !oracle_init(&p->before, TESTFILE_ROOM))
		return p;
	return NULL;
}

FIXTURE_SETUP(private)
{
	suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH, &self->sb, &self->tf);
	if (!self->tf)
		return;
	self->mine = private_new(self->tf);
	ASSERT_NE(NULL, self->mine);
	self->forked = private_new(self->tf);
	ASSERT_NE(NULL, self->forked);
}

FIXTURE_TEARDOWN(private)
{
	view_close(&self->mine->view);
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

/* --- what a private mapping holds ------------------------------------------------ */

/* The page at @off is its own now: a copy of the file's if it was not already. */
static void own_page(struct private *p, off_t off)
{
	long n = off / page();

	if (!p->owned[n])
		oracle_adopt(&p->own, &p->tf->oracle, page(), n * page());
	p->owned[n] = true;
}

/* In the process of the mapping: 0 or -EFAULT. The bytes are in tf->buf. */
static ssize_t store_private(struct actor *a, void *arg)
{
	struct private *p = arg;

	(void)a;
	return fault_copy(p->view.map + p->off, p->tf->buf, p->len, NULL);
}

static int private_store(struct private *p, enum actor_id who, size_t len, off_t off)
{
	struct actor *a = &p->tf->actors[who];
	off_t at;
	int ret;

	p->len = len;
	p->off = off;
	for (at = off - off % page(); at < off + (off_t)len; at += page())
		own_page(p, at);
	oracle_payload(&p->tf->oracle, p->tf->buf, len, off);
	ret = actor_call(a, store_private, p);
	p->own.seq = p->tf->oracle.seq;
	oracle_wrote(&p->own, a->name, "MP", "store", len, off);
	return ret;
}

/* One page against what it may be: its own, or the file's as it is or was. */
static bool page_is_right(struct private *p, const struct actor *a, off_t off)
{
	struct oracle_mismatch m;
	struct testfile *tf = p->tf;
	bool owned = p->owned[off / page()];

	if (fault_copy(tf->buf, p->view.map + off, page(), NULL)) {
		report_line("INCOHERENT: load by %s through MP at %lld faults", a->name,
			    (long long)off);
		report_rerun(&tf->report);
		return false;
	}
	if (!oracle_compare(owned ? &p->own : &tf->oracle, tf->buf, page(), off, &m))
		return true;
	if (!owned && !oracle_compare(&p->before, tf->buf, page(), off, &m))
		return true;
	report_mismatch(&tf->report, a->name, &view_private, "load", &m);
	return false;
}

static ssize_t check_private(struct actor *a, void *arg)
{
	struct private *p = arg;
	ssize_t wrong = 0;
	off_t off;

	for (off = 0; off < p->tf->oracle.size && !wrong; off += page())
		wrong = !page_is_right(p, a, off);
	return wrong;
}

static bool private_is_right(struct private *p, enum actor_id who)
{
	return !actor_call(&p->tf->actors[who], check_private, p);
}

/* A fresh file, every view of it, and a private mapping. */
static void open_with_private(struct __test_metadata *_metadata, struct private *p,
			      int open_flags)
{
	struct view_spec spec = view_private;
	struct testfile *tf = p->tf;

	open_file(_metadata, tf, "file");
	ASSERT_EQ(0, testfile_open(tf, OTHER, VIEW_BIT(F1) | VIEW_BIT(MS) | VIEW_BIT(B)));
	spec.open_flags = open_flags;
	ASSERT_EQ(0, view_open(&p->view, &spec, tf->fuse, TESTFILE_ROOM));
	p->view.spec = &view_private;
	oracle_reset(&p->own);
	oracle_reset(&p->before);
	oracle_adopt(&p->before, &tf->oracle, TESTFILE_ROOM, 0);
	memset(p->owned, 0, sizeof(p->owned));
}

static void close_file(struct private *p)
{
	view_close(&p->view);
	testfile_remove(p->tf);
	p->tf->cases++;
}

static void fork_private(struct __test_metadata *_metadata, struct private *mine,
			 struct private *forked)
{
	oracle_reset(&forked->own);
	oracle_reset(&forked->before);
	oracle_adopt(&forked->own, &mine->own, TESTFILE_ROOM, 0);
	oracle_adopt(&forked->before, &mine->before, TESTFILE_ROOM, 0);
	memcpy(forked->owned, mine->owned, sizeof(mine->owned));
	forked->view = mine->view;
	ASSERT_EQ(0, testfile_fork(mine->tf));
}

/* --- C8 ---------------------------------------------------------------------------- */

/* Where a private store lands, and what the page was like in the mapping. */
static const struct place {
	const char *name;
	int page, byte;
	size_t len;
} places[] = {
	{ "inside-page",	0, 100,		64 },
	{ "across-pages",	2, -32,		64 },
	{ "hole",		3, 100,		64 },
	{ "last-page",		6, 100,		64 },
	{ "many-pages",		0, 50,		9000 },
};

static const char *const states[] = { "untouched", "read", "dirty-in-the-file" };

static void prepare(struct __test_metadata *_metadata, struct private *p, off_t off, size_t len,
		    int state)
{
	if (state == 1)
		ASSERT_TRUE(private_is_right(p, SELF));
	if (state == 2)
		ASSERT_EQ((ssize_t)len, testfile_write(p->tf, SELF, MS, action_find("store"),
						       len, off));
}

/* C8: a private store is seen in the mapping and nowhere else, whatever the file was opened for. */
TEST_F(private, store_reaches_nobody_else)
{
	static const int modes[] = { O_RDONLY, O_RDWR };
	struct private *p = self->mine;
	const struct place *at;
	int state, m;
	off_t off;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(places); i++) {
		at = &places[i / 2];
		m = modes[i % 2];
		for (state = 0; state < (int)ARRAY_SIZE(states); state++) {
			if (!report_select(&p->tf->report, "%s,%s,%s", at->name, states[state],
					   m == O_RDONLY ? "rdonly" : "rdwr"))
				continue;
			off = at->page * page() + at->byte;
			open_with_private(_metadata, p, m);
			prepare(_metadata, p, off, at->len, state);
			ASSERT_EQ(0, private_store(p, SELF, at->len, off));
			EXPECT_TRUE(private_is_right(p, SELF));
			EXPECT_EQ(0U, testfile_check_all(p->tf));
			close_file(p);
		}
	}
	expect_engaged(_metadata, p->tf);
}

static const struct change {
	enum actor_id who;
	enum view_id view;
	const char *action;
} changes[] = {
	{ SELF, F1, "pwrite" },		{ SELF, MS, "store" },
	{ SELF, B, "pwrite" },		{ SELF, MB, "store" },
	{ OTHER, MS, "store" },		{ OTHER, F1, "write" },
	{ SELF, F2, "splice-write" },	{ SELF, FS, "writev" },
};

/* C8: whoever changes the file, pages stored to stay and the others show old or new bytes. */
TEST_F(private, own_page_is_fixed_and_others_show_old_or_new)
{
	struct private *p = self->mine;
	const struct change *c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		c = &changes[i];
		if (!report_select(&p->tf->report, "%s:%s,%s", c->action,
				   view_specs[c->view].name, p->tf->actors[c->who].name))
			continue;
		open_with_private(_metadata, p, O_RDWR);
		/* Page 1 its own, page 2 read, page 0 not touched: one write over all three. */
		ASSERT_EQ(0, private_store(p, SELF, 10, page() + 20));
		ASSERT_EQ(0, fault_copy(p->tf->buf, p->view.map + 2 * page(), 1, NULL));
		ASSERT_EQ(2 * page(), testfile_write(p->tf, c->who, c->view,
						     action_find(c->action), 2 * page(),
						     page() / 2));
		EXPECT_TRUE(private_is_right(p, SELF));
		EXPECT_EQ(0U, testfile_check_all(p->tf));
		close_file(p);
	}
	expect_engaged(_metadata, p->tf);
}

/* C8: nor does a hole punched under it take an own page away. */
TEST_F(private, own_page_outlives_a_punched_hole)
{
	struct private *p = self->mine;

	open_with_private(_metadata, p, O_RDWR);
	ASSERT_EQ(0, private_store(p, SELF, 10, page() + 20));
	ASSERT_EQ(0, fallocate(p->tf->actors[SELF].views[F1].fd,
			       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 3 * page()));
	oracle_hole(&p->tf->oracle, 3 * page(), 0);
	EXPECT_TRUE(private_is_right(p, SELF));
	EXPECT_EQ(0U, testfile_check_all(p->tf));
	close_file(p);
	expect_engaged(_metadata, p->tf);
}

/* C8: fork(2) before and after the first store: from then on each has its own pages. */
TEST_F(private, fork_parts_private_pages)
{
	struct private *mine = self->mine, *forked = self->forked;
	struct testfile *tf = self->tf;

	open_with_private(_metadata, mine, O_RDWR);
	ASSERT_EQ(0, private_store(mine, SELF, 100, 50));
	fork_private(_metadata, mine, forked);
	EXPECT_TRUE(private_is_right(forked, CHILD));

	/* The page that was copied before, and one that nobody has copied yet. */
	ASSERT_EQ(0, private_store(forked, CHILD, 100, 100));
	ASSERT_EQ(0, private_store(forked, CHILD, 100, 2 * page() - 50));
	EXPECT_TRUE(private_is_right(forked, CHILD));
	EXPECT_TRUE(private_is_right(mine, SELF));
	ASSERT_EQ(0, private_store(mine, SELF, 200, 80));
	ASSERT_EQ(0, private_store(mine, SELF, 100, 5 * page()));
	EXPECT_TRUE(private_is_right(mine, SELF));
	EXPECT_TRUE(private_is_right(forked, CHILD));
	EXPECT_EQ(0U, testfile_check_all(tf));

	/* Beside the shared mapping that the child inherited too. */
	ASSERT_EQ(100, testfile_write(tf, CHILD, MS, action_find("store"), 100, 120));
	EXPECT_TRUE(private_is_right(mine, SELF));
	EXPECT_TRUE(private_is_right(forked, CHILD));
	EXPECT_EQ(0U, testfile_check_all(tf));
	actor_end(&tf->actors[CHILD]);
	EXPECT_TRUE(private_is_right(mine, SELF));
	close_file(mine);
	expect_engaged(_metadata, tf);
}

/* C8: MADV_DONTNEED gives own pages back; what shows then is the file again. madvise(2) */
TEST_F(private, dropped_page_shows_the_file_again)
{
	struct private *p = self->mine;

	open_with_private(_metadata, p, O_RDWR);
	ASSERT_EQ(0, private_store(p, SELF, 3 * page(), 100));
	ASSERT_EQ(100, testfile_write(p->tf, SELF, F1, action_find("pwrite"), 100, page()));
	EXPECT_TRUE(private_is_right(p, SELF));
	ASSERT_EQ(0, madvise(p->view.map + page(), page(), MADV_DONTNEED));
	p->owned[1] = false;
	/* Unlike a page that stayed mapped it is read anew: old bytes are no excuse. */
	oracle_adopt(&p->before, &p->tf->oracle, page(), page());
	EXPECT_TRUE(private_is_right(p, SELF));
	EXPECT_EQ(0U, testfile_check_all(p->tf));
	close_file(p);
	expect_engaged(_metadata, p->tf);
}

/* Write to memory of this process past its protection, proc_pid_mem(5). 0 or -errno. */
static int force_write(void *to, const void *from, size_t len)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, from, len, (off_t)(uintptr_t)to) != (ssize_t)len)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * C8: a debugger's write into a read-only private mapping is a private store; into
 * a read-only shared one it is refused.
 */
TEST_F(private, forced_write_stays_private)
{
	struct private *p = self->mine;
	struct testfile *tf = self->tf;
	int ret;

	open_with_private(_metadata, p, O_RDONLY);
	ASSERT_EQ(0, mprotect(p->view.map, TESTFILE_ROOM, PROT_READ));
	own_page(p, page());
	oracle_payload(&tf->oracle, tf->buf, 64, page() + 30);
	ret = force_write(p->view.map + page() + 30, tf->buf, 64);
	if (ret == -EIO)
		SKIP(return, "writes to /proc/PID/mem past protections are switched off (proc_mem.force_override)");
	ASSERT_EQ(0, ret);
	p->own.seq = tf->oracle.seq;
	oracle_wrote(&p->own, "self", "/proc/self/mem", "pwrite", 64, page() + 30);
	EXPECT_TRUE(private_is_right(p, SELF));
	EXPECT_EQ(0U, testfile_check_all(tf));

	EXPECT_GT(0, force_write(tf->actors[SELF].views[MR].map + page(), "xxxx", 4));
	EXPECT_EQ(0U, testfile_check_all(tf));
	close_file(p);
	expect_engaged(_metadata, tf);
}

SUITE_MAIN()
