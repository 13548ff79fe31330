// SPDX-License-Identifier: GPL-2.0
/*
 * File status flags in passthrough mode. The kernel opens the backing file with
 * the flags of open(2); fcntl(F_SETFL) and the flags of single calls come later
 * and must be honoured all the same, as on the backing file by itself.
 *
 * The M ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "abi.h"
#include "action_ways.h"
#include "suite.h"

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND	0x00000020	/* Linux 6.9 */
#endif

/* Aligned for every O_DIRECT, and one byte of it for none. */
#define FILE_SIZE	(64 * 1024)

struct flags {
	struct report_case report;
	unsigned int rows;		/* that ran */
};

FIXTURE(open_flags)
{
	struct sandbox sb;
	struct flags flags;
};

BACKING_VARIANTS(open_flags);

FIXTURE_SETUP(open_flags)
{
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	self->flags.report = suite_case(_metadata, variant->fs, &self->sb);
}

FIXTURE_TEARDOWN(open_flags)
{
	sandbox_destroy(&self->sb);
}

/* --- what a flag does, seen from outside -------------------------------------- */

/* Where bytes written at offset 0 have gone, or -errno. */
enum { AT_OFFSET, AT_END, NOWHERE };

static int landed(int fd)
{
	char first = 0;
	struct stat st;

	if (fstat(fd, &st) || pread(fd, &first, 1, 0) != 1)
		return -errno;
	if (first == 'w')
		return AT_OFFSET;
	return st.st_size > FILE_SIZE ? AT_END : NOWHERE;
}

static int write_lands(int fd)
{
	if (lseek(fd, 0, SEEK_SET) || write(fd, "w", 1) != 1)
		return -errno;
	return landed(fd);
}

static int pwritev2_lands(int fd, int flags)
{
	struct iovec iov = { "w", 1 };

	return pwritev2(fd, &iov, 1, 0, flags) == 1 ? landed(fd) : -errno;
}

static int append_once_lands(int fd)
{
	return pwritev2_lands(fd, RWF_APPEND);
}

static int noappend_once_lands(int fd)
{
	return pwritev2_lands(fd, RWF_NOAPPEND);
}

/* The same by io_submit(2), where the flags travel another way. */
static int append_once_by_aio_lands(int fd)
{
	char byte = 'w';
	ssize_t ret = aio_write_flags(fd, &byte, 1, RWF_APPEND);

	return ret == 1 ? landed(fd) : (int)ret;
}

/* One unaligned byte; 0 or -errno. Direct io of most file systems refuses it. */
static int unaligned_write(int fd)
{
	return pwrite(fd, "w", 1, 1) == 1 ? 0 : -errno;
}

static int unaligned_read(int fd)
{
	char byte;

	return pread(fd, &byte, 1, 1) == 1 ? 0 : -errno;
}

/* Does a read(2) move an old atime? */
static int read_moves_atime(int fd)
{
	const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct stat before, after;
	char byte;

	if (futimens(fd, old) || fstat(fd, &before) || pread(fd, &byte, 1, 0) != 1 ||
	    fstat(fd, &after))
		return -errno;
	return after.st_atim.tv_sec != before.st_atim.tv_sec;
}

/* Regular files never block: everything is done at once. */
static int whole_read(int fd)
{
	static char buf[FILE_SIZE];

	return pread(fd, buf, sizeof(buf), 0);
}

struct row {
	const char *name;
	int open_flags;		/* besides O_RDWR */
	int later;		/* F_SETFL; open_flags again: nothing is set */
	int (*observe)(int fd);
	int expected;
};

static const struct row kept[] = {
	{ "append",		O_APPEND,	O_APPEND,	write_lands,	AT_END },
	{ "append-set",		0,		O_APPEND,	write_lands,	AT_END },
	{ "rwf-append",		0,		0,		append_once_lands, AT_END },
	{ "rwf-append-aio",	0,		0,		append_once_by_aio_lands, AT_END },
	{ "rwf-noappend-after-set", 0,		O_APPEND,	noappend_once_lands, AT_OFFSET },
	{ "direct",		O_DIRECT,	O_DIRECT,	unaligned_write, -EINVAL },
	{ "noatime",		O_NOATIME,	O_NOATIME,	read_moves_atime, 0 },
	{ "atime",		0,		0,		read_moves_atime, 1 },
	{ "nonblock",		O_NONBLOCK,	O_NONBLOCK,	whole_read,	FILE_SIZE },
	{ "nonblock-set",	0,		O_NONBLOCK,	whole_read,	FILE_SIZE },
	{ "nonblock-cleared",	O_NONBLOCK,	0,		whole_read,	FILE_SIZE },
	{ }
};

static const struct row lost[] = {
	{ "append-cleared",	O_APPEND,	0,		write_lands,	AT_OFFSET },
	{ "rwf-noappend",	O_APPEND,	O_APPEND,	noappend_once_lands, AT_OFFSET },
	{ "direct-set",		0,		O_DIRECT,	unaligned_write, -EINVAL },
	{ "direct-cleared",	O_DIRECT,	0,		unaligned_write, 0 },
	{ "direct-cleared-read", O_DIRECT,	0,		unaligned_read,	0 },
	{ "noatime-set",	0,		O_NOATIME,	read_moves_atime, 0 },
	{ "noatime-cleared",	O_NOATIME,	0,		read_moves_atime, 1 },
	{ }
};

/* A fresh file, opened under @dir as @row says: what is observed, or -errno. */
static int observe(const struct sandbox *sb, const char *dir, const struct row *row)
{
	char backing[PATH_MAX], path[PATH_MAX];
	int fd, ret;

	snprintf(backing, sizeof(backing), "%.4000s/file", sb->backing);
	snprintf(path, sizeof(path), "%.4000s/file", dir);
	fd = open(backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ret = ftruncate(fd, FILE_SIZE) ? -errno : 0;
	close(fd);
	if (ret)
		return ret;

	fd = open(path, O_RDWR | O_CLOEXEC | row->open_flags);
	ret = fd < 0 ? -errno : 0;
	if (!ret && row->later != row->open_flags && fcntl(fd, F_SETFL, row->later))
		ret = -errno;
	if (!ret)
		ret = row->observe(fd);
	if (fd >= 0)
		close(fd);
	unlink(path);
	unlink(backing);
	return ret;
}

/* A row is left out where the backing file system breaks it: tmpfs those of O_DIRECT. */
static bool backing_agrees(const struct sandbox *sb, const struct row *row)
{
	return observe(sb, sb->backing, row) == row->expected;
}

/* True if every row of @table holds. */
static bool table_holds(struct __test_metadata *_metadata, struct flags *f,
			const struct row *table, bool quiet)
{
	const struct sandbox *sb = f->report.sb;
	const struct row *row;
	bool holds = true;
	int seen;

	for (row = table; row->name; row++) {
		if (!report_select(&f->report, "%s", row->name))
			continue;
		if (!backing_agrees(sb, row)) {
			report_line("%s left out: %s by itself does otherwise", row->name,
				    sb->fs);
			continue;
		}
		f->rows++;
		seen = observe(sb, sb->mnt, row);
		if (seen == row->expected)
			continue;
		holds = false;
		if (quiet)
			continue;
		report_line("FLAGS: case %s: through FUSE %d, expected %d as on the backing file",
			    row->name, seen, row->expected);
		report_rerun(&f->report);
	}
	EXPECT_EQ(0U, server_requests(sb->server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(sb->server, FUSE_WRITE));
	return holds;
}

/* M5: flags of open(2), flags of one call, and O_APPEND set later: it travels with each write. */
TEST_F(open_flags, flags_take_effect)
{
	EXPECT_TRUE(table_holds(_metadata, &self->flags, kept, false));
	EXPECT_NE(0U, self->flags.rows);
}

/* M5, known deviation D3 */
TEST_F(open_flags, changed_flags_take_effect)
{
	bool holds = table_holds(_metadata, &self->flags, lost, !deviation_strict());

	EXPECT_NE(0U, self->flags.rows);
	suite_deviation(_metadata, "D3", holds);
}

SUITE_MAIN()
