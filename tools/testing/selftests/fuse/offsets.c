// SPDX-License-Identifier: GPL-2.0
/*
 * Large sparse files in passthrough mode: offsets that do not fit 31, 32 or 44
 * bits must reach the backing file whole, in bytes for read(2) and write(2), in
 * pages for mmap(2), and the page of end of file must be the right one there too.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "fault.h"
#include "suite.h"
#include "testfile.h"

/* Mapped around each offset; the last page is past end of file. */
#define WINDOW_PAGES	5
#define BEFORE_PAGES	2

#define GIB		(1LL << 30)

/* A stretch of the file with an oracle of its own, whose offsets count from @base. */
struct window {
	struct report_case report;
	struct oracle oracle;
	off_t base;
	struct view views[NR_VIEWS];
	unsigned char *buf;		/* of a window's size */
	unsigned int rows;
};

FIXTURE(offsets)
{
	struct sandbox sb;
	struct window w;
};

BACKING_VARIANTS(offsets);

static size_t page(void)
{
	return sysconf(_SC_PAGESIZE);
}

FIXTURE_SETUP(offsets)
{
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	self->w.report = suite_case(_metadata, variant->fs, &self->sb);
	ASSERT_EQ(0, oracle_init(&self->w.oracle, WINDOW_PAGES * page()));
	self->w.buf = malloc(WINDOW_PAGES * page());
	ASSERT_NE(NULL, self->w.buf);
}

static void close_window(struct window *w)
{
	enum view_id id;

	for (id = 0; id < NR_VIEWS; id++)
		view_close(&w->views[id]);
}

FIXTURE_TEARDOWN(offsets)
{
	close_window(&self->w);
	oracle_free(&self->w.oracle);
	free(self->w.buf);
	sandbox_destroy(&self->sb);
}

/* Views that differ in what carries the offset; O_SYNC and O_APPEND carry none of their own. */
static const enum view_id used[] = { F1, F2, B, MS, MR, MB };

/* A sparse file that ends in the last page but one of the window. False: too large for the fs. */
static bool open_window(struct __test_metadata *_metadata, struct window *w, off_t around)
{
	char fuse[PATH_MAX], backing[PATH_MAX];
	off_t size;
	size_t i;
	int fd;

	w->base = around - BEFORE_PAGES * page();
	size = w->base + (WINDOW_PAGES - 1) * page() - page() / 2;
	/* One name a window: FUSE knows the file of the last one by its name. */
	snprintf(fuse, sizeof(fuse), "%.4000s/file-%llx", w->report.sb->mnt,
		 (long long)around);
	snprintf(backing, sizeof(backing), "%.4000s/file-%llx", w->report.sb->backing,
		 (long long)around);
	fd = open(backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, fd);
	if (ftruncate(fd, size)) {
		EXPECT_TRUE(errno == EFBIG || errno == EINVAL);
		close(fd);
		return false;
	}
	close(fd);
	oracle_reset(&w->oracle);
	oracle_resize(&w->oracle, size - w->base);
	for (i = 0; i < ARRAY_SIZE(used); i++)
		ASSERT_EQ(0, view_open_at(&w->views[used[i]], &view_specs[used[i]],
					  view_specs[used[i]].side == VIEW_FUSE ? fuse : backing,
					  WINDOW_PAGES * page(), w->base));
	return true;
}

/* Offsets in reports are those of the file. */
static void report_at(struct window *w, enum view_id view, const char *action,
		      struct oracle_mismatch *m)
{
	m->off += w->base;
	m->expected_from.off += w->base;
	m->seen_from.off += w->base;
	report_mismatch(&w->report, "self", &view_specs[view], action, m);
}

static bool reads_right(struct window *w, enum view_id view, const struct action *a)
{
	size_t len = w->oracle.size;
	struct oracle_mismatch m;
	ssize_t ret;

	ret = a->run(&w->views[view], w->buf, len, w->base);
	if (action_declined(a, ret))
		return true;
	if (ret != (ssize_t)len) {
		report_line("OFFSETS: %s through %s at %lld returned %zd of %zu", a->name,
			    view_specs[view].name, (long long)w->base, ret, len);
		report_rerun(&w->report);
		return false;
	}
	if (!oracle_compare(&w->oracle, w->buf, len, 0, &m))
		return true;
	report_at(w, view, a->name, &m);
	return false;
}

/* Every reader of every view. */
static bool all_read_right(struct window *w)
{
	const struct action *a;
	bool right = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(used); i++)
		for (a = actions; a->name; a++)
			if (a->kind == ACTION_READ &&
			    action_fits(a, &view_specs[used[i]], w->base, 0, INT64_MAX))
				right &= reads_right(w, used[i], a);
	return right;
}

static const struct writer {
	enum view_id view;
	const char *action;
} writers[] = {
	{ F1, "pwrite" },	{ MS, "store" },	{ F2, "write" },
	{ B, "pwrite" },	{ MB, "store" },	{ F1, "writev" },
	{ F1, "splice-write" },	{ F2, "sendfile-write" }, { F1, "pwritev2-dsync" },
};

/* Across the offset that matters. */
static void write_across(struct __test_metadata *_metadata, struct window *w,
			 const struct writer *by, size_t n)
{
	off_t off = BEFORE_PAGES * page() - 100 - 3 * n;
	size_t len = 230;
	ssize_t ret;

	oracle_payload(&w->oracle, w->buf, len, off);
	ret = action_find(by->action)->run(&w->views[by->view], w->buf, len, w->base + off);
	EXPECT_EQ((ssize_t)len, ret);
	oracle_wrote(&w->oracle, "self", view_specs[by->view].name, by->action, len, off);
	EXPECT_TRUE(all_read_right(w)) {
		TH_LOG("after %s through %s, case %s", by->action, view_specs[by->view].name,
		       w->report.name);
	}
}

/* The last page of the file, and the page after it. */
static void expect_boundary(struct __test_metadata *_metadata, struct window *w)
{
	static const enum view_id maps[] = { MS, MR, MB };
	struct fault f;
	char byte, *end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		end = w->views[maps[i]].map + (WINDOW_PAGES - 1) * page();
		fault_copy(&byte, end - 1, 1, &f);
		EXPECT_EQ(0, f.signo);
		fault_copy(&byte, end, 1, &f);
		EXPECT_EQ(SIGBUS, f.signo);
		EXPECT_EQ((void *)end, f.addr);
	}
}

static const struct {
	const char *name;
	off_t around;		/* 0: as far as off_t reaches */
} offsets[] = {
	{ "2GiB",	2 * GIB },
	{ "4GiB",	4 * GIB },
	{ "1TiB",	1024 * GIB },
	{ "8TiB",	8 * 1024 * GIB },	/* page numbers of 4 KiB need 31 bits */
	{ "16TiB",	16 * 1024 * GIB },	/* ... and 32 */
	{ "end",	0 },
};

static off_t offset_of(size_t i)
{
	off_t pages = INT64_MAX / page() - WINDOW_PAGES;

	return offsets[i].around ?: pages * (off_t)page();
}

/* C17 */
TEST_F(offsets, large_offsets_reach_the_right_bytes)
{
	struct window *w = &self->w;
	struct stat st;
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		if (!report_select(&w->report, "%s", offsets[i].name))
			continue;
		if (!open_window(_metadata, w, offset_of(i))) {
			report_line("%s left out: too large a file for %s", offsets[i].name,
				    variant->fs);
			continue;
		}
		EXPECT_TRUE(all_read_right(w));
		for (n = 0; n < ARRAY_SIZE(writers); n++)
			write_across(_metadata, w, &writers[n], n);
		expect_boundary(_metadata, w);
		/* Nothing landed elsewhere, where a cut off offset would put it. */
		EXPECT_EQ(0, fstat(w->views[B].fd, &st));
		EXPECT_EQ(w->base + w->oracle.size, st.st_size);
		EXPECT_LE(w->base, lseek(w->views[B].fd, 0, SEEK_DATA));
		close_window(w);
		w->rows++;
	}
	w->report.name[0] = '\0';
	EXPECT_NE(0U, w->rows);
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
}

/* C17: a mapping that starts inside the file shows that part of it. */
TEST_F(offsets, mapping_starts_where_it_was_asked_to)
{
	struct window *w = &self->w;
	unsigned char first;
	char *map;
	size_t i;

	ASSERT_TRUE(open_window(_metadata, w, 4 * GIB));
	write_across(_metadata, w, &writers[0], 0);
	oracle_payload(&w->oracle, w->buf, w->oracle.size, 0);
	ASSERT_EQ(w->oracle.size, pwrite(w->views[F1].fd, w->buf, w->oracle.size, w->base));
	oracle_wrote(&w->oracle, "self", "F1", "pwrite", w->oracle.size, 0);
	for (i = 0; i < WINDOW_PAGES - 1; i++) {
		map = mmap(NULL, page(), PROT_READ, i & 1 ? MAP_SHARED : MAP_PRIVATE,
			   w->views[F1].fd, w->base + i * page());
		ASSERT_NE(MAP_FAILED, map);
		EXPECT_EQ(0, fault_copy(&first, map, 1, NULL));
		EXPECT_EQ(w->oracle.bytes[i * page()], first);
		munmap(map, page());
	}
	/* mmap(2): offsets are multiples of the page size. */
	map = mmap(NULL, page(), PROT_READ, MAP_SHARED, w->views[F1].fd, w->base + 1);
	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
}

SUITE_MAIN()
