// SPDX-License-Identifier: GPL-2.0
/*
 * fio(1) as a judge of its own: its checksums, its engines, on two passthrough
 * mounts of one directory at once. What the jobs do is said in fio/. Each block
 * that is read must be the one that was written, by whatever engine, through
 * whatever mount. The X ids are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "abi.h"
#include "fio.h"
#include "suite.h"

/*
 * Larger than the kernel's read-ahead, and the least that holes.fio does with.
 * FUSE_FIO_MIB takes its place.
 */
#define DEFAULT_BYTES	(576 * 1024)
#define MAX_MIB		16
#define HEAD_BYTES	65536
#define MAX_FILES	6
/* Emulated guests wait long for each step of two jobs. */
#define FIO_SECONDS	600

/* --- the jobs ------------------------------------------------------------------ */

/* Paths are those of the Makefile's directory. */
#define CARRY(id)							\
	__asm__(".pushsection .rodata\n"				\
		".global job_" #id "\n"					\
		"job_" #id ":\n"					\
		".incbin \"fio/" #id ".fio\"\n"				\
		".byte 0\n"						\
		".popsection\n");					\
	extern const char job_##id[]

CARRY(follow);
CARRY(share);
CARRY(uring);
CARRY(holes);
CARRY(load);
CARRY(after);

/* --- two mounts ------------------------------------------------------------------ */

struct mounts {
	struct sandbox sb;
	struct server *second;		/* of the same directory */
	struct report_case report;
	char second_mnt[PATH_MAX];
	size_t size;			/* of each file, bytes */
};

FIXTURE(fio)
{
	struct mounts mounts;
};

BACKING_VARIANTS(fio);

static size_t wanted_size(void)
{
	const char *given = getenv("FUSE_FIO_MIB");
	long mib = given ? strtol(given, NULL, 10) : 0;

	return mib < 1 || mib > MAX_MIB ? DEFAULT_BYTES : (size_t)mib << 20;
}

FIXTURE_SETUP(fio)
{
	/* Attributes and names stay cached, as on a mount in use; the test may kill it. */
	struct server_options opt = {
		.mode = suite_mode(SERVER_PASSTHROUGH),
		.stack_depth = strcmp(variant->fs, "overlayfs") ? 1 : 2,
		.attr_timeout = 1,
		.entry_timeout = 1,
		.own_process = true,
	};
	struct mounts *m = &self->mounts;

	SUITE_SANDBOX(&m->sb, ((struct sandbox_options) { .fs = variant->fs, .server = opt }));
	m->report = suite_case(_metadata, variant->fs, &m->sb);
	snprintf(m->second_mnt, sizeof(m->second_mnt), "%.4000s/second", m->sb.dir);
	ASSERT_EQ(0, mkdir(m->second_mnt, 0700));
	ASSERT_EQ(0, server_start(&m->second, m->sb.backing, m->second_mnt, &opt));
	m->size = wanted_size();
	setenv("A", m->sb.mnt, 1);
	setenv("B", m->second_mnt, 1);
}

FIXTURE_TEARDOWN(fio)
{
	server_stop(self->mounts.second);
	sandbox_destroy(&self->mounts.sb);
}

static void set_size(const char *name, size_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", bytes);
	setenv(name, text, 1);
}

static int make_empty(const struct sandbox *sb, const char *name, size_t size)
{
	char path[PATH_MAX];
	int fd, ret;

	snprintf(path, sizeof(path), "%.4000s/%s", sb->backing, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ret = ftruncate(fd, size) ? -errno : 0;
	close(fd);
	return ret;
}

/* C5: fio's bytes did not come by way of a server. */
static void expect_engaged(struct __test_metadata *_metadata, struct mounts *m)
{
	EXPECT_EQ(0U, server_requests(m->sb.server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(m->sb.server, FUSE_WRITE));
	EXPECT_EQ(0U, server_requests(m->second, FUSE_READ));
	EXPECT_EQ(0U, server_requests(m->second, FUSE_WRITE));
}

/* @job on @files, all empty but for their size; "head" is the short one. */
static void verify(struct __test_metadata *_metadata, struct mounts *m, const char *job,
		   const char *const *files)
{
	const char *lacks = fio_lacks(job);
	struct fio_run run;
	int status;

	if (lacks)
		SKIP(return, "%s", lacks);
	for (; *files; files++)
		ASSERT_EQ(0, make_empty(&m->sb, *files,
					strcmp(*files, "head") ? m->size : HEAD_BYTES));
	set_size("HALF", m->size / 2);
	set_size("QUARTER", m->size / 4);
	ASSERT_EQ(0, fio_start(&run, job, m->sb.dir, NULL));
	status = fio_wait(&run);
	EXPECT_EQ(0, status);
	if (status)
		report_rerun(&m->report);
	expect_engaged(_metadata, m);
}

#define FILES(...) ((const char *const [MAX_FILES + 1]) { __VA_ARGS__ })

/* X2: a reader right behind a writer sees each of its blocks, whatever it had read ahead. */
TEST_F_TIMEOUT(fio, readers_follow_writers, FIO_SECONDS)
{
	verify(_metadata, &self->mounts, job_follow,
	       FILES("head", "psync", "mmap", "splice", "libaio"));
}

/* X2: writers of one page by different engines, buffered and direct, keep their own bytes. */
TEST_F_TIMEOUT(fio, writers_share_pages, FIO_SECONDS)
{
	verify(_metadata, &self->mounts, job_share, FILES("pages", "blocks"));
}

/* X2: both, with io_uring and several blocks under way. */
TEST_F_TIMEOUT(fio, io_uring_follows_and_shares, FIO_SECONDS)
{
	verify(_metadata, &self->mounts, job_uring, FILES("head", "uring", "mmap", "pages"));
}

/* X2: holes and a moving end of file take just what they should from busy neighbours. */
TEST_F_TIMEOUT(fio, holes_and_ends_spare_their_neighbours, FIO_SECONDS)
{
	verify(_metadata, &self->mounts, job_holes, FILES("parts", "pages", "end"));
}

/* --- killed under load ------------------------------------------------------------ */

/* Until @block of the file holds something: the job is under way. False if fio ended. */
static bool wait_written(const struct sandbox *sb, const char *name, off_t block,
			 const struct fio_run *run)
{
	char path[PATH_MAX], first = 0;
	siginfo_t info = {};
	int fd;

	snprintf(path, sizeof(path), "%.4000s/%s", sb->backing, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (!first && !info.si_pid && pread(fd, &first, 1, block) == 1) {
		sched_yield();
		waitid(P_PID, run->pid, &info, WEXITED | WNOHANG | WNOWAIT);
	}
	close(fd);
	return first;
}

/*
 * X2: the server is killed while fio stores through maps: what was stored is in the
 * backing file, and so is what is stored from then on.
 */
TEST_F_TIMEOUT(fio, mapped_blocks_outlive_the_killed_server, FIO_SECONDS)
{
	const char *lacks = fio_lacks(job_load);
	struct mounts *m = &self->mounts;
	struct fio_run run;
	int status;

	if (lacks)
		SKIP(return, "%s", lacks);
	ASSERT_EQ(0, make_empty(&m->sb, "first", 4 * m->size));
	ASSERT_EQ(0, make_empty(&m->sb, "second", 4 * m->size));
	ASSERT_EQ(0, fio_start(&run, job_load, m->sb.dir, NULL));
	/* Each has opened its file, which needs the server. */
	EXPECT_TRUE(wait_written(&m->sb, "first", m->size, &run));
	EXPECT_TRUE(wait_written(&m->sb, "second", 0, &run));
	EXPECT_EQ(0, kill(server_pid(m->sb.server), SIGKILL));
	status = fio_wait(&run);
	EXPECT_EQ(0, status);

	setenv("A", m->sb.backing, 1);
	ASSERT_EQ(0, fio_start(&run, job_after, m->sb.dir, NULL));
	status = fio_wait(&run);
	EXPECT_EQ(0, status);
	if (_metadata->exit_code)
		report_rerun(&m->report);
}

int main(int argc, char **argv)
{
	const char *missing = suite_only_asks(argc, argv) ? NULL : fio_missing();

	if (missing) {
		ksft_print_header();
		ksft_exit_skip("%s\n", missing);
	}
	/* Asked here, fio names its engines once and not for every test. */
	if (!suite_only_asks(argc, argv))
		fio_lacks(job_follow);
	return suite_main(argc, argv, SUITE_PASSTHROUGH | SUITE_ALL_CPUS);
}
