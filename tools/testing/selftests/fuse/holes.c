// SPDX-License-Identifier: GPL-2.0
/*
 * Holes under live mappings of a file opened in passthrough mode: made by
 * fallocate(2), through FUSE and beside it, and filled by stores, also when the
 * file system has no block left to fill them with.
 *
 * The E ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "abi.h"
#include "backing_probe.h"
#include "fault.h"
#include "suite.h"
#include "testfile.h"

#define LONG_TIMEOUT	3600.0

FIXTURE(holes)
{
	struct sandbox sb;
	struct testfile *tf;
};

BACKING_VARIANTS(holes);

FIXTURE_SETUP(holes)
{
	struct report_case report;

	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	report = suite_case(_metadata, variant->fs, &self->sb);
	self->tf = testfile_new(&report);
	ASSERT_NE(NULL, self->tf);
	self->tf->reads = testfile_reads_briefly;
}

FIXTURE_TEARDOWN(holes)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

static long page(void)
{
	return sysconf(_SC_PAGESIZE);
}

static int fd_of(const struct testfile *tf, enum view_id view)
{
	return tf->actors[SELF].views[view].fd;
}

static void expect_engaged(struct __test_metadata *_metadata, const struct testfile *tf)
{
	EXPECT_EQ(0U, server_requests(tf->report.sb->server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(tf->report.sb->server, FUSE_WRITE));
	EXPECT_NE(0U, tf->cases) {
		TH_LOG("FUSE_TEST_CASE names no case of this test");
	}
}

static void open_file(struct __test_metadata *_metadata, struct testfile *tf, const char *name)
{
	ASSERT_EQ(0, testfile_create(tf, name));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
}

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

/* --- E6: no block left -------------------------------------------------------------- */

/* A file system to be filled; tmpfs is half of the machine's memory, so a small one of its own. */
static void small_filesystem(struct __test_metadata *_metadata, const struct sandbox *sb,
			     char *dir, size_t len)
{
	char size[32];

	snprintf(dir, len, "%.4000s/full", sb->backing);
	ASSERT_EQ(0, mkdir(dir, 0755));
	if (strcmp(sb->fs, "tmpfs"))
		return;
	snprintf(size, sizeof(size), "size=%ld", 32 * page());
	ASSERT_EQ(0, mount("full", dir, "tmpfs", 0, size));
}

static void small_filesystem_end(const struct sandbox *sb, const char *dir)
{
	if (!strcmp(sb->fs, "tmpfs"))
		umount2(dir, MNT_DETACH);
}

/* Allocate until nothing is left, in ever smaller pieces. Descriptor or -1. */
static int fill(const char *dir)
{
	char path[PATH_MAX];
	struct statvfs fs;
	off_t end = 0, piece;
	int fd;

	snprintf(path, sizeof(path), "%.4000s/filler", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unlink(path);
	if (fd < 0 || fstatvfs(fd, &fs))
		return fd;
	/* A share that is surely there first: some file systems refuse all of the rest. */
	for (piece = fs.f_bavail * fs.f_frsize / 2; piece >= (off_t)fs.f_bsize; piece /= 2) {
		piece -= piece % fs.f_bsize;
		while (piece && !fallocate(fd, 0, end, piece))
			end += piece;
		if (!piece)
			break;
	}
	return fd;
}

static void drain(int filler)
{
	/* Some file systems have the blocks back only once the change is on disk. */
	if (filler >= 0 && !ftruncate(filler, 0))
		syncfs(filler);
	close(filler);
}

/* A file of one block of data, the first page, and a hole, the second. -1 if not to be made. */
static char *map_half_empty(const char *path)
{
	char *map = MAP_FAILED;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && pwrite(fd, "d", 1, 0) == 1 && !ftruncate(fd, 2 * page()) && !fsync(fd))
		map = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return map;
}

/* All but the hole: tmpfs needs a page to show even a load from that. */
static unsigned int check_data(struct testfile *tf)
{
	return testfile_check(tf, 3 * page(), 0) + testfile_check(tf, 3 * page(), 5 * page());
}

/* What a full file system does by itself. */
struct full {
	bool hole_faults;	/* a store into a hole */
	bool data_faults;	/* a store where there are data: copy on write needs a block */
	int write_error;	/* errno of a write into a hole, or 0 */
};

static struct full full_backing(const char *path, char *map)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct full f;

	f.hole_faults = fault_copy(map + page(), "h", 1, NULL);
	f.data_faults = fault_copy(map, "e", 1, NULL);
	f.write_error = pwrite(fd, "w", 1, page() + 10) < 0 ? errno : 0;
	close(fd);
	return f;
}

/* E6: SIGBUS at the byte, nothing else lost, and all is well once there is room again. */
TEST_F(holes, store_without_space_raises_sigbus)
{
	const struct action *store = action_find("store");
	struct testfile *tf = self->tf;
	char dir[PATH_MAX], path[PATH_MAX], *probe, *hole;
	struct fault f = {};
	struct full full;
	int filler;

	small_filesystem(_metadata, &self->sb, dir, sizeof(dir));
	open_file(_metadata, tf, "full/file");
	ASSERT_EQ(300, testfile_write(tf, SELF, MS, store, 300, page() - 100));
	ASSERT_EQ(0, fsync(fd_of(tf, B)));
	snprintf(path, sizeof(path), "%.4000s/probe", dir);
	probe = map_half_empty(path);
	ASSERT_NE(MAP_FAILED, probe);
	filler = fill(dir);
	full = full_backing(path, probe);

	hole = tf->actors[SELF].views[MS].map + 3 * page() + 200;
	if (full.hole_faults) {
		fault_copy(hole, "x", 1, &f);
		EXPECT_EQ(SIGBUS, f.signo);
		EXPECT_EQ(BUS_ADRERR, f.code);
		EXPECT_EQ((void *)hole, f.addr);
		EXPECT_EQ(0U, check_data(tf));
	}
	if (full.hole_faults && !full.data_faults) {
		EXPECT_EQ(300, testfile_write(tf, SELF, MS, store, 300, page() + 500));
		EXPECT_EQ(0U, check_data(tf));
	}
	if (full.write_error) {
		EXPECT_EQ(-1, pwrite(fd_of(tf, F1), "w", 1, 4 * page() + 10));
		EXPECT_EQ(full.write_error, errno);
		EXPECT_EQ(0U, check_data(tf));
	}
	drain(filler);

	EXPECT_EQ(300, testfile_write(tf, SELF, MS, store, 300, 3 * page() + 200));
	EXPECT_EQ(0U, testfile_check_all(tf));
	EXPECT_EQ(0, msync(tf->actors[SELF].views[MS].map, TESTFILE_SIZE, MS_SYNC));
	EXPECT_EQ(0U, testfile_check_all(tf));
	tf->cases++;
	expect_engaged(_metadata, tf);

	munmap(probe, 2 * page());
	testfile_remove(tf);
	small_filesystem_end(&self->sb, dir);
	if (!full.hole_faults)
		SKIP(return, "%s takes a store into a hole even when fallocate(2) finds no space",
		     variant->fs);
}

SUITE_MAIN()
