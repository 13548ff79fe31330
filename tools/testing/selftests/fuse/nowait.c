// SPDX-License-Identifier: GPL-2.0
/*
 * Writes that do not wait: pwritev2(2) with RWF_NOWAIT does what can be done at
 * once, and says EAGAIN or EOPNOTSUPP to the rest. What was done is seen through
 * every view; what was refused has changed nothing, and comes out right when it
 * is written again without the flag.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "abi.h"
#include "suite_file.h"

SUITE_FILE_FIXTURE(nowait, testfile_reads_briefly);

/* Through FUSE and beside it, buffered and direct. */
static const struct view_spec ways[] = {
	{ "F",	VIEW_FUSE,	O_RDWR,			0, 0, SERVER_PASSTHROUGH },
	{ "FD",	VIEW_FUSE,	O_RDWR | O_DIRECT,	0, 0, SERVER_PASSTHROUGH },
	{ "B",	VIEW_BACKING,	O_RDWR,			0, 0, SERVER_PASSTHROUGH },
	{ "BD",	VIEW_BACKING,	O_RDWR | O_DIRECT,	0, 0, SERVER_PASSTHROUGH },
};

/* The page that is written to, before it is. */
enum state { UNCACHED, CACHED, DIRTY, NR_STATES };

static const char *const states[] = { "uncached", "cached", "dirty" };

/* One whole page, which no file system refuses for its alignment. */
static off_t place(void)
{
	return page();
}

/* 0 or errno. @fd: of the backing file; without O_DIRECT. */
static int prepare(int fd, enum state state)
{
	char byte;

	if (state == UNCACHED)
		return fsync(fd) ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (fsync(fd) || pread(fd, &byte, 1, place()) != 1)
		return errno;
	return state == DIRTY && pwrite(fd, &byte, 1, place()) != 1 ? errno : 0;
}

/* Bytes written, or -errno. */
static ssize_t write_at_once(int fd, void *buf)
{
	struct iovec iov = { buf, page() };
	ssize_t ret = pwritev2(fd, &iov, 1, place(), RWF_NOWAIT);

	return ret < 0 ? -errno : ret;
}

static bool is_refusal(ssize_t ret)
{
	return ret == -EAGAIN || ret == -EOPNOTSUPP;
}

/*
 * EAGAIN comes and goes: the times of a file that was not written in this tick of
 * the clock, for one, cannot be updated at once. So often is it tried, each time
 * right after an ordinary write.
 */
#define TRIES	32

/* A file that FUSE has never seen: bytes written, or -errno. */
static ssize_t alone(const struct testfile *tf, const struct view_spec *way, enum state state,
		     void *buf)
{
	char path[PATH_MAX];
	ssize_t ret = -EIO;
	struct view v = {};
	int fd, n;

	snprintf(path, sizeof(path), "%.4000s/alone", tf->report.sb->backing);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (pwrite(fd, buf, page(), 0) == page() && pwrite(fd, buf, page(), place()) == page() &&
	    !view_open(&v, way, path, 0) && !prepare(fd, state))
		ret = write_at_once(v.fd, buf);
	for (n = 1; n < TRIES && ret == -EAGAIN; n++)
		ret = pwrite(v.fd, buf, page(), place()) < 0 ? -errno : write_at_once(v.fd, buf);
	view_close(&v);
	close(fd);
	unlink(path);
	return ret;
}

/* How many writes were done at once, on the file alone and on the one under test. */
struct count {
	unsigned int alone, here;
};

/* Write the next payload at once, or what that left of it the usual way. Result of the former. */
static ssize_t write_payload(struct __test_metadata *_metadata, struct testfile *tf,
			     const struct view *v, unsigned char *buf)
{
	ssize_t ret;

	oracle_payload(&tf->oracle, buf, page(), place());
	ret = write_at_once(v->fd, buf);
	EXPECT_TRUE(ret > 0 || is_refusal(ret)) {
		TH_LOG("%s: %s", tf->report.name, strerror(-ret));
	}
	if (ret < 0) {
		EXPECT_EQ(0U, testfile_check(tf, page(), place())) {
			TH_LOG("it was refused and yet written");
		}
	}
	/* A part may have been written; from aligned memory all of it is again. */
	if (ret != page())
		ASSERT_EQ(page(), pwrite(v->fd, buf, page(), place()));
	oracle_wrote(&tf->oracle, "self", v->spec->name, "pwritev2-nowait", page(), place());
	return ret;
}

static void write_once(struct __test_metadata *_metadata, struct testfile *tf,
		       const struct view_spec *way, enum state state, unsigned char *buf,
		       struct count *count)
{
	struct view v = {};
	ssize_t ret;
	int n;

	count->alone += alone(tf, way, state, buf) > 0;
	open_file(_metadata, tf, "file");
	ASSERT_EQ(0, view_open(&v, way, way->side == VIEW_FUSE ? tf->fuse : tf->backing, 0));
	/* What the mappings have touched stays; that is what it is about. */
	if (state != UNCACHED)
		ASSERT_EQ(0U, testfile_check(tf, page(), place()));
	ASSERT_EQ(0, prepare(fd_of(tf, B), state));

	ret = write_payload(_metadata, tf, &v, buf);
	for (n = 1; n < TRIES && ret == -EAGAIN; n++)
		ret = write_payload(_metadata, tf, &v, buf);
	count->here += ret > 0;
	EXPECT_EQ(0U, testfile_check_all(tf));
	view_close(&v);
	testfile_remove(tf);
	tf->cases++;
}

/* C1 */
TEST_F(nowait, write_is_seen_or_refused_whole)
{
	struct testfile *tf = self->tf;
	struct count beside = {}, through = {};
	const struct view_spec *way;
	unsigned char *buf;
	enum state state;

	buf = aligned_alloc(DIRECT_ALIGN, page());
	ASSERT_NE(NULL, buf);
	memset(buf, 'a', page());
	for (way = ways; way < ways + ARRAY_SIZE(ways); way++) {
		/* tmpfs takes O_DIRECT since 6.6. */
		if (way->open_flags & O_DIRECT && !(tf->views & VIEW_BIT(FD)))
			continue;
		for (state = UNCACHED; state < NR_STATES; state++)
			if (report_select(&tf->report, "%s,%s", way->name, states[state]))
				write_once(_metadata, tf, way, state, buf,
					   way->side == VIEW_FUSE ? &through : &beside);
	}
	tf->report.name[0] = '\0';
	free(buf);
	report_line("done at once by %s alone %u, beside FUSE %u, through FUSE %u", variant->fs,
		    beside.alone, beside.here, through.here);
	/* Else nothing was tried but the refusals. */
	if (beside.alone)
		EXPECT_NE(0U, beside.here);
	expect_engaged(_metadata, tf);
}

SUITE_MAIN()
