// SPDX-License-Identifier: GPL-2.0
/*
 * A shortage of memory: a process whose control group may have far less memory
 * than the file that it has mapped. Each page it stores to costs another one that
 * must be written out and dropped, and comes back when it is looked at again.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi.h"
#include "memory_group.h"
#include "suite_file.h"

#define MIB		(1024L * 1024)

/* What the process itself needs is in the limit, too. */
#define FILE_SIZE	(32 * MIB)
#define LIMIT		(8 * MIB)
#define ROUNDS		3
#define ROUNDS_SLOW	1	/* where KSFT_MACHINE_SLOW is set */

SUITE_FILE_FIXTURE(pressure, testfile_reads_briefly);

/* What went wrong in the child; shared. */
struct wrong {
	const char *how;	/* NULL: nothing */
	size_t page;
	uint64_t seen, want;
};

struct pressed {
	int fd, backing;
	uint64_t *map;		/* through FUSE; of each page the first word counts */
	size_t pages, words;	/* in the file, in a page */
	struct wrong *wrong;
};

static bool is_right(const struct pressed *p, const char *how, size_t at, uint64_t seen,
		     uint64_t want)
{
	if (seen == want)
		return true;
	*p->wrong = (struct wrong) { how, at, seen, want };
	return false;
}

static bool load_is_right(const struct pressed *p, size_t at, uint64_t want)
{
	const volatile uint64_t *word = p->map + at * p->words;

	return is_right(p, "a load", at, *word, want);
}

static bool read_is_right(const struct pressed *p, const char *how, int fd, size_t at,
			  uint64_t want)
{
	uint64_t word = ~0ULL;

	/* A short read is wrong by that value. */
	if (pread(fd, &word, sizeof(word), at * page()) != sizeof(word))
		word = ~0ULL;
	return is_right(p, how, at, word, want);
}

/* Of each page what the last round left, then the next value; by map and descriptor in turn. */
static bool press(const struct pressed *p, uint64_t round)
{
	size_t at;

	for (at = 0; at < p->pages; at++) {
		volatile uint64_t *word = p->map + at * p->words;

		if (!((at + round) % 3 ? load_is_right(p, at, round - 1) :
					 read_is_right(p, "pread", p->fd, at, round - 1)))
			return false;
		if ((at + round) % 4)
			*word = round;
		else if (pwrite(p->fd, &round, sizeof(round), at * page()) != sizeof(round))
			return is_right(p, "pwrite", at, errno, 0);
	}
	return true;
}

static bool all_is_right(const struct pressed *p, uint64_t want)
{
	size_t at;

	for (at = 0; at < p->pages; at++)
		if (!load_is_right(p, at, want) ||
		    !read_is_right(p, "pread", p->fd, at, want) ||
		    !read_is_right(p, "pread of the backing file", p->backing, at, want))
			return false;
	return true;
}

static uint64_t last_round(void)
{
	return getenv("KSFT_MACHINE_SLOW") ? ROUNDS_SLOW : ROUNDS;
}

/* In the child: everything as often as it takes to have each page go and come back. */
static int live_in(const struct memory_group *group, const struct pressed *p)
{
	uint64_t round;
	int err = memory_group_enter(group);

	if (err)
		return -err;
	for (round = 1; round <= last_round(); round++)
		if (!press(p, round))
			break;
	return 0;
}

/*
 * Blocks first, in place from then on: who writes them back need not allocate any.
 * The image of the file system may be in memory itself, and a new page of that
 * would be one of the child's.
 */
static int allocate(int fd)
{
	char *zeroes = calloc(1, MIB);
	int flags = FS_NOCOW_FL, err = 0;
	off_t off;

	ioctl(fd, FS_IOC_SETFLAGS, &flags);
	for (off = 0; zeroes && off < FILE_SIZE && !err; off += MIB)
		if (pwrite(fd, zeroes, MIB, off) != MIB)
			err = errno ?: EIO;
	free(zeroes);
	/* Pages that stay would be the test's own, not the child's. */
	return err ?: fsync(fd) ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void open_pressed(struct __test_metadata *_metadata, struct pressed *p,
			 const struct sandbox *sb)
{
	char path[PATH_MAX];

	p->pages = FILE_SIZE / page();
	p->words = page() / sizeof(uint64_t);
	snprintf(path, sizeof(path), "%.4000s/pressed", sb->backing);
	p->backing = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, p->backing);
	/* Pages of tmpfs cannot be dropped: they are there once they are stored to. */
	ASSERT_EQ(0, strcmp(sb->fs, "tmpfs") ? allocate(p->backing) :
					       ftruncate(p->backing, FILE_SIZE));
	snprintf(path, sizeof(path), "%.4000s/pressed", sb->mnt);
	p->fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, p->fd);
	p->map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	ASSERT_NE(MAP_FAILED, p->map);
	p->wrong = mmap(NULL, sizeof(*p->wrong), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p->wrong);
}

/* Its wait status. Meanwhile the disk keeps up, or all of its pages might be dirty ones. */
static int wait_writing_back(struct __test_metadata *_metadata, pid_t pid, int backing)
{
	struct pollfd ended = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status;

	ASSERT_LE(0, ended.fd);
	while (!poll(&ended, 1, 1))
		sync_file_range(backing, 0, 0, SYNC_FILE_RANGE_WRITE);
	close(ended.fd);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	return status;
}

static bool has_swap(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[256];
	int lines = 0;

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		fclose(f);
	/* The first one is the heading. */
	return lines > 1;
}

static void press_in_child(struct __test_metadata *_metadata, struct testfile *tf,
			   const struct memory_group *group, const struct pressed *p)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		close(server_device(tf->report.sb->server));
		_exit(live_in(group, p));
	}
	status = wait_writing_back(_metadata, pid, p->backing);
	EXPECT_EQ(0, status) {
		TH_LOG("the process in the cgroup ended with wait status 0x%x", status);
	}
	if (!p->wrong->how && !status)
		all_is_right(p, last_round());
	EXPECT_EQ(NULL, p->wrong->how) {
		report_line("STALE for want of memory: %s of page %zu sees %llu, expected %llu",
			    p->wrong->how, p->wrong->page, (unsigned long long)p->wrong->seen,
			    (unsigned long long)p->wrong->want);
		report_rerun(&tf->report);
	}
}

/* C13: where memory is short, what was stored is written out, and what comes back is that. */
TEST_F(pressure, no_store_is_lost_for_want_of_memory)
{
	struct memory_group group = {};
	struct testfile *tf = self->tf;
	struct pressed p = {};
	char why[256];

	if (!strcmp(variant->fs, "tmpfs") && !has_swap())
		SKIP(return, "pages of tmpfs have nowhere to go without swap");
	SUITE_NEED(memory_group_create(&group, &self->sb, LIMIT, why, sizeof(why)), why);
	open_pressed(_metadata, &p, &self->sb);
	press_in_child(_metadata, tf, &group, &p);
	/* Else there was no shortage. */
	EXPECT_LT(0, memory_group_hits(&group));
	memory_group_destroy(&group);
	tf->cases++;
	expect_engaged(_metadata, tf);
	munmap(p.map, FILE_SIZE);
	close(p.fd);
	close(p.backing);
}

SUITE_MAIN()
