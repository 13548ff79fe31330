// SPDX-License-Identifier: GPL-2.0
/*
 * Writes and stores for which there is no room: the file system is full, a limit
 * of the process or of the file system is reached, or the bytes cannot even be
 * fetched. What is refused must leave the file, its size and what is cached of it
 * as they were.
 *
 * The E and T ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "abi.h"
#include "fault.h"
#include "half_empty.h"
#include "suite_file.h"

SUITE_FILE_FIXTURE(no_room, testfile_reads_briefly);

/* What the kernel believes, without asking anybody. */
static off_t cached_size(const struct testfile *tf)
{
	struct statx stx;

	if (statx(fd_of(tf, F1), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &stx))
		return -errno;
	return stx.stx_size;
}

/* --- a file system without a free block ------------------------------------------------ */

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
	if (fd < 0)
		return fd;
	/* What was freed by those before is free once that is on disk. */
	syncfs(fd);
	if (fstatvfs(fd, &fs))
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

/* What a full file system does by itself. */
struct full {
	bool hole_faults;	/* a store into a hole */
	bool data_faults;	/* a store where there are data: copy on write needs a block */
	int write_error;	/* errno of a write into a hole, or 0 */
	int extend_error;	/* ... and of one far behind end of file that left the size */
};

static struct full full_backing(const char *path, char *map)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct full f;

	f.hole_faults = fault_copy(map + page(), "h", 1, NULL);
	f.data_faults = fault_copy(map, "e", 1, NULL);
	f.write_error = pwrite(fd, "w", 1, page() + 10) < 0 ? errno : 0;
	f.extend_error = pwrite(fd, "w", 1, TESTFILE_ROOM + 10) < 0 ? errno : 0;
	if (lseek(fd, 0, SEEK_END) != 2 * page())
		f.extend_error = 0;
	close(fd);
	return f;
}

/* --- T6: what is refused, and how ------------------------------------------------------ */

/* RLIMIT_FSIZE as long as it is in force; the caller ignores SIGXFSZ or means to get it. */
static void limit_size(off_t size)
{
	const struct rlimit limit = { size < 0 ? RLIM_INFINITY : (rlim_t)size, RLIM_INFINITY };

	setrlimit(RLIMIT_FSIZE, &limit);
}

static const struct refusal {
	const char *name;
	off_t limit;		/* RLIMIT_FSIZE, or -1 */
	off_t off;		/* of the write; 0: one page past end of file */
	bool from_nowhere;	/* the buffer may not be read */
} refusals[] = {
	{ "EFAULT",	  -1,	0,		  true },
	{ "RLIMIT_FSIZE", 1000,	0,		  false },
	/* Past what ext4 and xfs can hold, not past what FUSE can. */
	{ "EFBIG",	  -1,	1LL << 62,	  false },
};

/* What a write came to, and the size that the file has then. */
struct outcome {
	ssize_t ret;
	off_t size;
};

static struct outcome refuse(struct view *v, int backing, const struct action *action,
			     const struct refusal *r, void *nowhere)
{
	char bytes[64] = "bytes that nobody will see";
	off_t off = r->off ?: TESTFILE_SIZE + page();
	struct outcome o;
	struct stat st;

	limit_size(r->limit);
	o.ret = action->run(v, r->from_nowhere ? nowhere : bytes, sizeof(bytes), off);
	limit_size(-1);
	o.size = fstat(backing, &st) ? -errno : st.st_size;
	return o;
}

/* The backing file system alone, on a file of the same size. */
static struct outcome refused_alone(const struct testfile *tf, const struct action *action,
				    enum view_id view, const struct refusal *r, void *nowhere)
{
	struct outcome o = { .ret = -EIO };
	char path[PATH_MAX];
	struct view v = {};

	snprintf(path, sizeof(path), "%.4000s/alone", tf->report.sb->backing);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	if (!truncate(path, TESTFILE_SIZE) && !view_open(&v, &view_specs[view], path, 0))
		o = refuse(&v, v.fd, action, r, nowhere);
	view_close(&v);
	unlink(path);
	return o;
}

/* Through FUSE it is refused likewise, and everybody knows the size that the file then has. */
static void refuse_once(struct __test_metadata *_metadata, struct testfile *tf,
			const struct action *action, enum view_id view,
			const struct refusal *r, void *nowhere)
{
	const struct outcome alone = refused_alone(tf, action, view, r, nowhere);
	struct outcome o;
	struct stat st;
	off_t cached;

	/* It holds more than was thought, or lseek(2) refused before there was a write. */
	if (alone.ret >= 0 || alone.ret == -EINVAL)
		return;
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(view) | VIEW_BIT(B)));
	ASSERT_EQ(0, fstat(fd_of(tf, F1), &st));
	o = refuse(&tf->actors[SELF].views[view], fd_of(tf, B), action, r, nowhere);
	cached = cached_size(tf);
	EXPECT_EQ(0, fstat(fd_of(tf, F1), &st));
	/* What is cached may be from before, should the file have grown all the same. */
	EXPECT_TRUE(o.ret == alone.ret && o.size == alone.size && st.st_size == o.size &&
		    (cached == o.size || cached == TESTFILE_SIZE)) {
		report_line("SIZE after a refused write, %s", tf->report.name);
		report_line("  %s alone: result %zd, size %lld", tf->report.sb->fs, alone.ret,
			    (long long)alone.size);
		report_line("  through FUSE: result %zd, size of the backing file %lld, by fstat %lld, by statx with DONT_SYNC %lld",
			    o.ret, (long long)o.size, (long long)st.st_size, (long long)cached);
		report_rerun(&tf->report);
	}
	oracle_resize(&tf->oracle, o.size);
	EXPECT_EQ(0U, testfile_check_all(tf));
	testfile_remove(tf);
	tf->cases++;
}

/* T6: by every way to write. Some file systems grow by themselves on EFAULT. */
TEST_F(no_room, refused_write_leaves_the_size)
{
	struct testfile *tf = self->tf;
	const struct action *action;
	enum view_id view;
	void *nowhere;
	size_t i;

	signal(SIGXFSZ, SIG_IGN);
	nowhere = mmap(NULL, page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, nowhere);
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		for (action = actions; action->name; action++) {
			if (action->kind != ACTION_WRITE || action_missing(action) ||
			    !(action->needs & ACTION_ON_FD))
				continue;
			/* Some copy their buffer before they come to the file. */
			if (refusals[i].from_nowhere && (action->needs & ACTION_SPLICES ||
							 strstr(action->name, "fixed")))
				continue;
			for (view = F1; view <= FA; view += FA - F1) {
				if (view == FA && action->needs & ACTION_SPLICES)
					continue;
				if (report_select(&tf->report, "%s:%s,%s", refusals[i].name,
						  action->name, view_specs[view].name))
					refuse_once(_metadata, tf, action, view, &refusals[i],
						    nowhere);
			}
		}
	}
	tf->report.name[0] = '\0';
	expect_engaged(_metadata, tf);
}

static volatile sig_atomic_t size_signals;

static void count_signal(int signo)
{
	(void)signo;
	size_signals++;
}

/*
 * E6: RLIMIT_FSIZE is for what extends files by system calls, setrlimit(2): they
 * fail with EFBIG and SIGXFSZ. A store into a hole inside the file is not asked.
 */
TEST_F(no_room, size_limit_binds_writes_but_not_stores)
{
	const struct sigaction count = { .sa_handler = count_signal };
	struct testfile *tf = self->tf;

	open_file(_metadata, tf, "file");
	ASSERT_EQ(0, sigaction(SIGXFSZ, &count, NULL));
	limit_size(page());
	EXPECT_EQ(300, testfile_write(tf, SELF, MS, action_find("store"), 300, 4 * page() - 100));
	EXPECT_EQ(-EFBIG, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, page()));
	EXPECT_EQ(1, size_signals);
	EXPECT_EQ(-EFBIG, testfile_write(tf, SELF, F1, action_find("splice-write"), 64,
					 3 * page()));
	EXPECT_EQ(2, size_signals);
	/* As much as there is room for, write(2). */
	EXPECT_EQ(100, testfile_write(tf, SELF, F1, action_find("pwrite"), 100, page() - 100));
	EXPECT_EQ(-1, ftruncate(fd_of(tf, F1), TESTFILE_SIZE + 1));
	EXPECT_EQ(EFBIG, errno);
	limit_size(-1);
	EXPECT_EQ(0U, testfile_check_all(tf));
	tf->cases++;
	expect_engaged(_metadata, tf);
}

/* --- E6, last: not every file system recovers at once from having been full ------------ */

/* E6: SIGBUS at the byte, nothing else lost, and all is well once there is room again. */
TEST_F(no_room, store_without_space_raises_sigbus)
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
	if (full.extend_error) {
		EXPECT_EQ(-1, pwrite(fd_of(tf, F1), "w", 1, TESTFILE_ROOM + 10));
		EXPECT_EQ(full.extend_error, errno);
		EXPECT_EQ(TESTFILE_SIZE, cached_size(tf));
		EXPECT_EQ(TESTFILE_SIZE, lseek(fd_of(tf, F1), 0, SEEK_END));
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
