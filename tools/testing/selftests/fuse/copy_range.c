// SPDX-License-Identifier: GPL-2.0
/*
 * copy_file_range(2) on files that are open in passthrough mode and mapped.
 *
 * FUSE hands the copy to the server, which carries it out on its own descriptors:
 * of all ways to write it is the one that does not pass through. Stores to the
 * source that nobody has written back must be in the copy, and the copy must be
 * in every mapping. The C ids in the comments are rows of the catalogue of
 * properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "suite_file.h"

SUITE_FILE_FIXTURE(copy_range, testfile_reads_briefly);

/* All of it, in as many pieces as the kernel likes. Bytes copied or -errno. */
static ssize_t copy(int from, off_t at, int to, off_t there, size_t len)
{
	size_t done = 0;
	ssize_t ret = 1;

	while (done < len && ret > 0) {
		ret = copy_file_range(from, &at, to, &there, len - done, 0);
		if (ret > 0)
			done += ret;
	}
	return ret < 0 ? -errno : (ssize_t)done;
}

/* Offsets and lengths in pages and bytes; see testfile.h for the layout. */
static const struct range {
	const char *name;
	int page, byte;		/* from */
	int to_page, to_byte;
	int pages, bytes;	/* length */
} ranges[] = {
	{ "inside-pages",	0, 100,		2, 300,		0, 64 },
	{ "across-pages",	0, -1 + 4000,	4, -70,		0, 200 },
	{ "whole-pages",	1, 0,		3, 0,		2, 0 },
	{ "hole-over-data",	3, 50,		0, 60,		1, 10 },
	{ "data-into-hole",	5, 0,		3, 17,		0, 900 },
	{ "extending",		0, 10,		6, 1000,	1, 500 },
};

static const struct {
	enum view_id from, to;
} ends[] = {
	{ F1, F1 }, { F1, F2 }, { FS, F1 }, { B, B },
};

static void copy_once(struct __test_metadata *_metadata, struct testfile *tf, enum view_id from,
		      enum view_id to, const struct range *r)
{
	const off_t at = r->page * page() + r->byte, there = r->to_page * page() + r->to_byte;
	const size_t len = r->pages * page() + r->bytes;
	const struct action *store = action_find("store");
	ssize_t ret;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0, testfile_open(tf, OTHER, VIEW_BIT(MS) | VIEW_BIT(F1)));
	/* Dirty at either end, and in page tables. */
	ASSERT_EQ(32, testfile_write(tf, SELF, MS, store, 32, at + 5));
	if (there + 20 < tf->oracle.size)
		ASSERT_EQ(20, testfile_write(tf, OTHER, MS, store, 20, there));
	ASSERT_EQ(0U, testfile_check_all(tf));
	ret = copy(fd_of(tf, from), at, fd_of(tf, to), there, len);
	EXPECT_EQ((ssize_t)len, ret) {
		TH_LOG("%s", tf->report.name);
		report_rerun(&tf->report);
	}
	oracle_copied(&tf->oracle, len, at, there);
	EXPECT_EQ(0U, testfile_check_all(tf));
	/* Nothing of it stays behind in a cache: stores and writes go on. */
	ASSERT_EQ(32, testfile_write(tf, SELF, MS, store, 32, there + 7));
	ASSERT_EQ(32, testfile_write(tf, SELF, F1, action_find("pwrite"), 32, at + 20));
	EXPECT_EQ(0U, testfile_check_all(tf));
	testfile_remove(tf);
	tf->cases++;
}

/* C1, C2: within the file, through FUSE and beside it. */
TEST_F(copy_range, copy_within_the_file_is_seen_by_every_view)
{
	struct testfile *tf = self->tf;
	size_t e, i;

	for (e = 0; e < ARRAY_SIZE(ends); e++)
		for (i = 0; i < ARRAY_SIZE(ranges); i++)
			if (report_select(&tf->report, "%s-%s:%s", view_specs[ends[e].from].name,
					  view_specs[ends[e].to].name, ranges[i].name) &&
			    suite_share(tf->rows++, variant->fs))
				copy_once(_metadata, tf, ends[e].from, ends[e].to, &ranges[i]);
	tf->report.name[0] = '\0';
	expect_engaged(_metadata, tf);
}

/* C1: ranges that overlap are refused, copy_file_range(2) EINVAL, and nothing is changed. */
TEST_F(copy_range, overlapping_copy_is_refused)
{
	struct testfile *tf = self->tf;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, page()));
	EXPECT_EQ(-EINVAL, copy(fd_of(tf, F1), 100, fd_of(tf, F2), 150, page()));
	EXPECT_EQ(-EINVAL, copy(fd_of(tf, F1), page(), fd_of(tf, F1), page(), 10));
	EXPECT_EQ(0U, testfile_check_all(tf));
	tf->cases++;
	expect_engaged(_metadata, tf);
}

struct other_file {
	char path[PATH_MAX];
	int fd;
	char *map;
};

static void open_other(struct __test_metadata *_metadata, const struct sandbox *sb,
		       struct other_file *o)
{
	snprintf(o->path, sizeof(o->path), "%.4000s/other", sb->mnt);
	o->fd = open(o->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, o->fd);
	ASSERT_EQ(0, ftruncate(o->fd, TESTFILE_SIZE));
	o->map = mmap(NULL, TESTFILE_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, o->fd, 0);
	ASSERT_NE(MAP_FAILED, o->map);
}

/* C1, C2: to another file that is mapped, and back; a store to the copy is no store to the file. */
TEST_F(copy_range, copy_to_another_file_is_seen_in_its_mapping)
{
	const struct action *store = action_find("store");
	struct testfile *tf = self->tf;
	struct other_file o;
	ssize_t ret;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	open_other(_metadata, &self->sb, &o);
	/* Each page is in the page tables before. */
	ASSERT_EQ(0, memcmp(o.map, o.map + TESTFILE_SIZE / 2, TESTFILE_SIZE / 2));
	ASSERT_EQ(500, testfile_write(tf, SELF, MS, store, 500, page() - 250));
	ASSERT_EQ(TESTFILE_SIZE, copy(fd_of(tf, F1), 0, o.fd, 0, TESTFILE_SIZE));
	EXPECT_EQ(0, memcmp(o.map, tf->oracle.bytes, TESTFILE_SIZE));
	memset(o.map + page(), 'o', page());
	EXPECT_EQ(0U, testfile_check_all(tf));

	memcpy(o.map + page(), tf->oracle.bytes, page());
	ASSERT_EQ(page(), copy(o.fd, page(), fd_of(tf, F1), 2 * page(), page()));
	oracle_copied(&tf->oracle, page(), 0, 2 * page());
	EXPECT_EQ(0U, testfile_check_all(tf));

	/* Beside FUSE the kernel may refuse to copy between two file systems. */
	ret = copy(fd_of(tf, F1), 0, fd_of(tf, B), 4 * page(), page());
	EXPECT_TRUE(ret == page() || ret == -EXDEV);
	if (ret == page())
		oracle_copied(&tf->oracle, page(), 0, 4 * page());
	EXPECT_EQ(0U, testfile_check_all(tf));
	tf->cases++;
	expect_engaged(_metadata, tf);
	munmap(o.map, TESTFILE_ROOM);
	close(o.fd);
}

SUITE_MAIN()
