// SPDX-License-Identifier: GPL-2.0
/*
 * Holes under live mappings of a file opened in passthrough mode: made by
 * fallocate(2), through FUSE and beside it, and filled by stores.
 *
 * The E ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>

#include "abi.h"
#include "backing_probe.h"
#include "suite_file.h"

SUITE_FILE_FIXTURE(holes, testfile_reads_briefly);

/* --- E5: fallocate(2) ----------------------------------------------------------- */

static const struct request {
	const char *name;
	int mode;
	bool zeroes;		/* what was there is gone */
	bool extends;		/* past end of file, the file grows */
} requests[] = {
	{ "punch-hole",	FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,	true,	false },
	{ "zero-range",	FALLOC_FL_ZERO_RANGE,				true,	true },
	{ "zero-range-keep-size", FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, true, false },
	{ "allocate",	0,						false,	true },
	{ "allocate-keep-size",	FALLOC_FL_KEEP_SIZE,			false,	false },
};

static const struct range {
	const char *name;
	int page, byte;		/* offset */
	int pages, bytes;	/* length */
} ranges[] = {
	{ "inside-page",	0, 100,		0, 64 },
	{ "across-pages",	2, -50,		0, 100 },
	{ "whole-pages",	1, 0,		2, 0 },
	{ "pages-and-edges",	0, 700,		2, 600 },
	{ "hole-and-edges",	3, -32,		2, 64 },
	{ "hole",		3, 0,		1, 0 },
	{ "across-eof",		6, 50,		1, 1000 },
	{ "all",		0, 0,		8, 0 },
};

static void expect_fallocated(struct oracle *o, const struct request *r, off_t off, size_t len)
{
	if (r->zeroes)
		oracle_hole(o, len, off);
	if (r->extends && off + (off_t)len > o->size)
		oracle_resize(o, off + len);
}

static void fallocate_once(struct __test_metadata *_metadata, struct testfile *tf,
			   const struct request *r, enum view_id through, const struct range *where)
{
	const struct action *store = action_find("store");
	off_t off = where->page * page() + where->byte;
	size_t len = where->pages * page() + where->bytes;

	open_file(_metadata, tf, "file");
	/* Dirty pages are cut too, and those that no page table has yet. */
	ASSERT_EQ(100, testfile_write(tf, SELF, MS, store, 100, off));
	ASSERT_EQ(0U, testfile_check(tf, 2 * page(), 0));
	ASSERT_EQ(0, fallocate(fd_of(tf, through), r->mode, off, len)) {
		TH_LOG("case %s: %s", tf->report.name, strerror(errno));
	}
	expect_fallocated(&tf->oracle, r, off, len);
	EXPECT_EQ(0U, testfile_check_all(tf));

	/* A page that straddles the edge, stored to after the cut, and written back. */
	ASSERT_EQ(100, testfile_write(tf, SELF, MS, store, 100, off + 20));
	EXPECT_EQ(0U, testfile_check_all(tf));
	ASSERT_EQ(0, msync(tf->actors[SELF].views[MS].map, tf->oracle.size, MS_SYNC));
	ASSERT_EQ(0, posix_fadvise(fd_of(tf, B), 0, 0, POSIX_FADV_DONTNEED));
	EXPECT_EQ(0U, testfile_check_all(tf));
	testfile_remove(tf);
	tf->cases++;
}

/* E5 */
TEST_F(holes, fallocate_is_seen_by_every_view)
{
	static const enum view_id sides[] = { F1, B };
	struct testfile *tf = self->tf;
	enum sandbox_result known;
	size_t r, s, i;
	char why[128];

	for (r = 0; r < ARRAY_SIZE(requests); r++) {
		known = backing_probe_fallocate(&self->sb, requests[r].mode, why, sizeof(why));
		ASSERT_NE(SANDBOX_BROKEN, known) {
			TH_LOG("%s", why);
		}
		if (known == SANDBOX_UNSUPPORTED) {
			report_line("%s left out: %s", requests[r].name, why);
			continue;
		}
		for (s = 0; s < ARRAY_SIZE(sides); s++) {
			for (i = 0; i < ARRAY_SIZE(ranges); i++) {
				if (!report_select(&tf->report, "%s:%s,%s", requests[r].name,
						   view_specs[sides[s]].name, ranges[i].name))
					continue;
				fallocate_once(_metadata, tf, &requests[r], sides[s], &ranges[i]);
			}
		}
	}
	tf->report.name[0] = '\0';
	expect_engaged(_metadata, tf);
}

/* E5: FUSE knows no mode that moves bytes; the file and its mappings stay as they are. */
TEST_F(holes, requests_that_move_bytes_are_refused)
{
	static const int modes[] = { FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE };
	struct testfile *tf = self->tf;
	size_t i;

	open_file(_metadata, tf, "file");
	ASSERT_EQ(100, testfile_write(tf, SELF, MS, action_find("store"), 100, page()));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		EXPECT_EQ(-1, fallocate(fd_of(tf, F1), modes[i], page(), page()));
		EXPECT_EQ(EOPNOTSUPP, errno);
		EXPECT_EQ(0U, testfile_check_all(tf));
	}
	tf->cases++;
	expect_engaged(_metadata, tf);
}

SUITE_MAIN()
