// SPDX-License-Identifier: GPL-2.0
/*
 * read(2) and write(2) whose buffer is a mapping of the very file, opened in
 * passthrough mode. The kernel copies from a page to itself, or must fault in a
 * page that it is about to lock: the classic ways to a deadlock, a short count
 * or a lost byte (generic_perform_write() tells the story).
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "abi.h"
#include "action_ways.h"
#include "suite_file.h"

FIXTURE(self_buffer)
{
	struct sandbox sb;
	struct testfile *tf;
};

BACKING_VARIANTS(self_buffer);

FIXTURE_SETUP(self_buffer)
{
	suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH, &self->sb, &self->tf);
	if (!self->tf)
		return;
	self->tf->reads = testfile_reads_briefly;
	ASSERT_EQ(0, testfile_create(self->tf, "file"));
	ASSERT_EQ(0, testfile_open(self->tf, SELF, self->tf->views));
}

FIXTURE_TEARDOWN(self_buffer)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

static struct view *view(struct testfile *tf, enum view_id id)
{
	return &tf->actors[SELF].views[id];
}

/* --- the page of the buffer ----------------------------------------------------------- */

static const char *const states[] = { "uncached", "unmapped", "clean", "dirty" };
enum { UNCACHED, UNMAPPED, CLEAN, DIRTY };

/* The layout again, and the pages of every mapping in @state. */
static void prepare(struct __test_metadata *_metadata, struct testfile *tf, int state)
{
	int fd = view(tf, B)->fd;

	ASSERT_EQ(0, testfile_renew(tf));
	if (state == UNCACHED) {
		ASSERT_EQ(0, fsync(fd));
		ASSERT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	}
	if (state == DIRTY)
		ASSERT_EQ(TESTFILE_SIZE, testfile_write(tf, SELF, MS, action_find("store"),
							TESTFILE_SIZE, 0));
	if (state >= CLEAN)
		ASSERT_EQ(0U, testfile_check_all(tf));
}

/* --- C7: copies that do not overlap ------------------------------------------------------ */

static const struct copy {
	const char *name;
	int from_page, from_byte, to_page, to_byte, pages, bytes;	/* from, to, length */
} copies[] = {
	{ "page-to-page",	1, 0,	5, 0,	1, 0 },
	{ "bytes-to-page",	1, 100,	5, 300,	0, 64 },
	{ "across-pages",	0, 700,	5, -40,	1, 0 },
	{ "within-a-page",	1, 100,	1, 1000, 0, 500 },
	{ "page-onto-itself",	1, 0,	1, 0,	1, 0 },
	{ "bytes-onto-themselves", 1, 10, 1, 10, 1, 77 },
	{ "into-a-hole",	0, 50,	3, 100,	1, 0 },
	{ "from-a-hole",	3, 100,	0, 50,	1, 0 },
};

static off_t from_of(const struct copy *c)
{
	return c->from_page * page() + c->from_byte;
}

static off_t to_of(const struct copy *c)
{
	return c->to_page * page() + c->to_byte;
}

static size_t len_of(const struct copy *c)
{
	return c->pages * page() + c->bytes;
}

/* A reader takes the bytes to the mapping, a writer from there. */
static ssize_t run_copy(struct testfile *tf, const struct action *a, enum view_id through,
			enum view_id buffer, const struct copy *c)
{
	char *map = view(tf, buffer)->map;

	if (a->kind == ACTION_READ)
		return a->run(view(tf, through), map + to_of(c), len_of(c), from_of(c));
	return a->run(view(tf, through), map + from_of(c), len_of(c), to_of(c));
}

static void copy_once(struct __test_metadata *_metadata, struct testfile *tf,
		      const struct action *a, enum view_id through, enum view_id buffer,
		      const struct copy *c, int state)
{
	ssize_t ret;

	if (!report_select(&tf->report, "%s:%s,%s,%s,%s", a->name, view_specs[through].name,
			   view_specs[buffer].name, c->name, states[state]) ||
	    !suite_share(tf->rows++, tf->report.sb->fs))
		return;
	prepare(_metadata, tf, state);
	ret = run_copy(tf, a, through, buffer, c);
	if (action_declined(a, ret))
		return;
	EXPECT_EQ((ssize_t)len_of(c), ret) {
		TH_LOG("case %s: %s", tf->report.name, ret < 0 ? strerror(-ret) : "short");
		report_rerun(&tf->report);
	}
	oracle_copied(&tf->oracle, len_of(c), from_of(c), to_of(c));
	EXPECT_EQ(0U, testfile_check_all(tf));
	tf->cases++;
}

static void copy_all(struct __test_metadata *_metadata, struct testfile *tf, const char *action,
		     enum view_id through, enum view_id buffer)
{
	size_t c;
	int state;

	for (c = 0; c < ARRAY_SIZE(copies); c++)
		for (state = UNCACHED; state <= DIRTY; state++)
			copy_once(_metadata, tf, action_find(action), through, buffer,
				  &copies[c], state);
}

/* C7: any buffered read or write, through FUSE or beside it, with either mapping. */
TEST_F(self_buffer, file_is_copied_to_itself)
{
	static const struct {
		const char *action;
		enum view_id through, buffer;
	} rows[] = {
		{ "pread", F1, MS },	{ "read", F2, MS },	{ "readv", F1, MS },
		{ "pread", F1, MB },	{ "pread", B, MS },	{ "preadv2-nowait", F1, MS },
		{ "pwrite", F1, MS },	{ "write", F2, MS },	{ "writev", F1, MS },
		{ "pwrite", F1, MB },	{ "pwrite", B, MS },	{ "pwrite", FS, MS },
		{ "pwrite", F1, MR },	{ "pwritev2-dsync", F1, MS },
		{ "uring-read", F1, MS }, { "uring-write", F1, MS },
		{ "aio-read", F1, MS },	{ "aio-write", F1, MS },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (action_missing(action_find(rows[i].action)))
			continue;
		copy_all(_metadata, self->tf, rows[i].action, rows[i].through, rows[i].buffer);
	}
	expect_engaged(_metadata, self->tf);
}

/*
 * A page that is written back between being pinned and being filled is dirty without
 * its file system knowing. btrfs then fails to write it back. FUSE has no part in
 * that, unless it happens again.
 */
static bool filled_behind_its_back(struct testfile *tf)
{
	if (strcmp(tf->report.sb->fs, "btrfs") || !fsync(view(tf, B)->fd))
		return false;
	report_line("%s again: fsync of the backing file: %s", tf->report.name, strerror(errno));
	return true;
}

static void copy_directly(struct __test_metadata *_metadata, struct testfile *tf, bool reads,
			  const struct copy *c, int state)
{
	char *map = view(tf, MS)->map;
	int fd = view(tf, FD)->fd;
	int tries = reads ? 2 : 1;
	ssize_t ret;

	if (!report_select(&tf->report, "direct-%s,%s,%s", reads ? "read" : "write", c->name,
			   states[state]))
		return;
	do {
		prepare(_metadata, tf, state);
		ret = reads ? pread(fd, map + to_of(c), len_of(c), from_of(c)) :
			      pwrite(fd, map + from_of(c), len_of(c), to_of(c));
		EXPECT_EQ((ssize_t)len_of(c), ret) {
			TH_LOG("case %s: %s", tf->report.name,
			       ret < 0 ? strerror(errno) : "short");
			report_rerun(&tf->report);
		}
		tries--;
	} while (tries && filled_behind_its_back(tf));
	oracle_copied(&tf->oracle, len_of(c), from_of(c), to_of(c));
	EXPECT_EQ(0U, testfile_check_all(tf));
	tf->cases++;
}

/* C7: O_DIRECT straight to and from pages of the page cache it goes around. */
TEST_F(self_buffer, file_is_copied_to_itself_directly)
{
	static const struct copy aligned[] = {
		{ "page-to-page",	1, 0,	5, 0,	1, 0 },
		{ "into-a-hole",	1, 0,	4, 0,	1, 0 },
		{ "from-a-hole",	4, 0,	1, 0,	1, 0 },
	};
	struct testfile *tf = self->tf;
	size_t c;
	int state;

	if (!(tf->views & VIEW_BIT(FD)))
		SKIP(return, "%s by itself has no O_DIRECT", variant->fs);
	for (c = 0; c < ARRAY_SIZE(aligned); c++) {
		for (state = UNCACHED; state <= DIRTY; state++) {
			copy_directly(_metadata, tf, true, &aligned[c], state);
			copy_directly(_metadata, tf, false, &aligned[c], state);
		}
	}
	expect_engaged(_metadata, tf);
}

/* One copy by io_uring whose registered memory is the mapping. */
static ssize_t copy_registered(struct testfile *tf, enum view_id through, enum view_id buffer,
			       bool write, const struct copy *c)
{
	char *map = view(tf, buffer)->map;

	/* Pages past end of file cannot be registered. */
	return uring_in_place(view(tf, through), write, map, 7 * page(),
			      map + (write ? from_of(c) : to_of(c)), len_of(c),
			      write ? to_of(c) : from_of(c));
}

/*
 * C7: pages of the file registered with io_uring. Pages that the file system wants
 * to be told about cannot be pinned for long; the backing file by itself says so.
 */
TEST_F(self_buffer, file_is_copied_to_itself_from_registered_pages)
{
	struct testfile *tf = self->tf;
	size_t c, n;
	ssize_t ret;
	bool write;

	if (uring_missing())
		SKIP(return, "%s", uring_missing());
	prepare(_metadata, tf, CLEAN);
	ret = copy_registered(tf, B, MB, true, &copies[0]);
	if (ret == -EFAULT || ret == -EOPNOTSUPP)
		SKIP(return, "pages of %s by itself cannot be registered with io_uring: %s",
		     variant->fs, strerror(-ret));
	for (n = 0; n < 2 * ARRAY_SIZE(copies); n++) {
		c = n / 2;
		write = n % 2;
		if (!report_select(&tf->report, "registered-%s,%s", write ? "write" : "read",
				   copies[c].name))
			continue;
		prepare(_metadata, tf, CLEAN);
		ret = copy_registered(tf, F1, MS, write, &copies[c]);
		EXPECT_EQ((ssize_t)len_of(&copies[c]), ret) {
			TH_LOG("case %s: %s", tf->report.name, ret < 0 ? strerror(-ret) : "short");
			report_rerun(&tf->report);
		}
		oracle_copied(&tf->oracle, len_of(&copies[c]), from_of(&copies[c]),
			      to_of(&copies[c]));
		EXPECT_EQ(0U, testfile_check_all(tf));
		tf->cases++;
	}
	expect_engaged(_metadata, tf);
}

/* --- C7: copies that do overlap ------------------------------------------------------------ */

/* What [off, off + len) is, by whatever order of bytes: all views agree on it. */
static bool views_agree(struct testfile *tf, size_t len, off_t off)
{
	static const enum view_id maps[] = { MS, MR, MB };
	char *bytes = malloc(len);
	bool agree;
	size_t i;

	if (!bytes)
		return false;
	agree = pread(view(tf, B)->fd, bytes, len, off) == (ssize_t)len;
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		agree &= !memcmp(view(tf, maps[i])->map + off, bytes, len);
	if (pread(view(tf, F1)->fd, tf->buf, len, off) != (ssize_t)len)
		agree = false;
	agree &= !memcmp(tf->buf, bytes, len);
	free(bytes);
	return agree;
}

/*
 * C7: what overlapping bytes become is unspecified (POSIX read(), write()), but not
 * the count, nor the bytes outside, nor that everybody sees the same.
 */
TEST_F(self_buffer, overlapping_copy_stays_in_its_range)
{
	static const int shifts[] = { 1, 8, 500, -1, -300 };
	static const char *const names[] = { "pread", "pwrite", "readv", "writev" };
	struct testfile *tf = self->tf;
	const off_t from = page() + 600;
	const size_t len = page();
	struct copy c = { "overlap", 1, 600, 1, 0, 1, 0 };
	size_t i, s;
	int state;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		for (s = 0; s < ARRAY_SIZE(shifts) * 4; s++) {
			state = s % 4;
			c.to_byte = 600 + shifts[s / 4];
			if (!report_select(&tf->report, "%s,%+d,%s", names[i], shifts[s / 4],
					   states[state]))
				continue;
			prepare(_metadata, tf, state);
			EXPECT_EQ((ssize_t)len, run_copy(tf, action_find(names[i]), F1, MS, &c));
			EXPECT_EQ(0U, testfile_check(tf, to_of(&c), 0));
			EXPECT_EQ(0U, testfile_check(tf, TESTFILE_SIZE, to_of(&c) + len));
			EXPECT_TRUE(views_agree(tf, len + 1000, from - 500)) {
				TH_LOG("views disagree, case %s", tf->report.name);
				report_rerun(&tf->report);
			}
			tf->cases++;
		}
	}
	expect_engaged(_metadata, tf);
}

/* --- C7: a buffer that ends too early ----------------------------------------------------- */

/* Two pages of memory, the second of which may not be touched. */
static char *half_buffer(struct testfile *tf, bool own_file)
{
	char *map = own_file ?
		mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, view(tf, MS)->fd, 0) :
		mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map != MAP_FAILED && mprotect(map + page(), page(), PROT_NONE)) {
		munmap(map, 2 * page());
		return MAP_FAILED;
	}
	return map;
}

/* Bytes that can be moved before the buffer ends. */
#define GOOD	100

static bool plausible(ssize_t ret)
{
	return ret < 0 ? errno == EFAULT : ret > 0 && ret <= GOOD;
}

/* C7: EFAULT, or exactly so many bytes as the count says. */
TEST_F(self_buffer, count_of_a_half_writable_buffer_is_exact)
{
	const off_t off = 5 * page() + 10;
	struct testfile *tf = self->tf;
	char *half, *buf;
	ssize_t ret;
	int own;

	for (own = 0; own < 2; own++) {
		half = half_buffer(tf, own);
		ASSERT_NE(MAP_FAILED, half);
		buf = half + page() - GOOD;
		ret = pread(view(tf, F1)->fd, buf, GOOD + 3000, off);
		EXPECT_TRUE(plausible(ret)) {
			TH_LOG("read into a half writable buffer returned %zd", ret);
		}
		if (ret > 0)
			EXPECT_EQ(0, memcmp(buf, tf->oracle.bytes + off, ret));
		/* What the count does not cover may have been written to, of the buffer only. */
		if (own)
			oracle_copied(&tf->oracle, GOOD, off, page() - GOOD);
		if (own && ret != GOOD)
			ASSERT_EQ(0, testfile_renew(tf));
		EXPECT_EQ(0U, testfile_check_all(tf));
		munmap(half, 2 * page());
		tf->cases++;
	}
	expect_engaged(_metadata, tf);
}

/* C7: and not one byte more in the file. */
TEST_F(self_buffer, count_of_a_half_readable_buffer_is_exact)
{
	const off_t off = 5 * page() + 10;
	struct testfile *tf = self->tf;
	char *half, *buf;
	ssize_t ret;
	int own;

	for (own = 0; own < 2; own++) {
		half = half_buffer(tf, own);
		ASSERT_NE(MAP_FAILED, half);
		buf = half + page() - GOOD;
		if (!own)
			oracle_payload(&tf->oracle, buf, GOOD, off);
		ret = pwrite(view(tf, F1)->fd, buf, GOOD + 3000, off);
		EXPECT_TRUE(plausible(ret)) {
			TH_LOG("write from a half readable buffer returned %zd", ret);
		}
		if (ret > 0 && own)
			oracle_copied(&tf->oracle, ret, page() - GOOD, off);
		else if (ret > 0)
			oracle_wrote(&tf->oracle, "self", "F1", "pwrite", ret, off);
		EXPECT_EQ(0U, testfile_check_all(tf));
		munmap(half, 2 * page());
		tf->cases++;
	}
	expect_engaged(_metadata, tf);
}

/* C7: nothing of the buffer may be touched: EFAULT, and nothing happened. */
TEST_F(self_buffer, untouchable_buffer_is_efault)
{
	static const enum view_id views[] = { F1, FS, B };
	struct testfile *tf = self->tf;
	char *buf = mmap(NULL, page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;
	int fd;

	ASSERT_NE(MAP_FAILED, buf);
	for (i = 0; i < ARRAY_SIZE(views); i++) {
		fd = view(tf, views[i])->fd;
		EXPECT_EQ(-1, pread(fd, buf, 100, 50));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, pwrite(fd, buf, 100, 50));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(0U, testfile_check_all(tf));
		tf->cases++;
	}
	munmap(buf, page());
	expect_engaged(_metadata, tf);
}

SUITE_MAIN()
