// SPDX-License-Identifier: GPL-2.0
/*
 * A write and an mmap() of one file that wait for each other.
 *
 * A direct write larger than one request holds off whoever wants to cache the
 * file, and needs the address space to fetch the rest of its bytes. A shared
 * mapping of the file holds the address space and waits for the write to end. If
 * the two belong to one process, neither ever goes on; on 6.12 SIGKILL ends them.
 *
 * By request only, FUSE_TEST_DEADLOCK=1, and only in a guest of run_vm.sh: nobody
 * knows that a kernel which breaks the rule lets go of them. The M and L ids in
 * the comments are rows of the catalogue of properties.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "abi.h"
#include "suite.h"

/* More than two requests of the server's max_write. */
#define WRITTEN		(0x100000UL * 5 / 2)
/* A write of that size takes milliseconds; an emulated processor is 100 times slower. */
#define WATCH_SECONDS	20

/* Of the process that may not come back; shared with the one that watches. */
struct stage {
	char path[PATH_MAX];
	bool maps;		/* else it only writes: the control */
	atomic_int fd;
	atomic_int ended;	/* of its two calls */
};

FIXTURE(deadlock)
{
	struct sandbox sb;
	struct stage *stage;
};

FIXTURE_SETUP(deadlock)
{
	char path[PATH_MAX];
	int fd;

	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = "tmpfs",
		.server = {
			.mode = SERVER_DIRECT_PARALLEL,
			.init_set = FUSE_DIRECT_IO_ALLOW_MMAP,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
			/* It must not need the address space that is held. */
			.own_process = true,
		},
	}));
	if (!(server_init_offered(self->sb.server) & FUSE_DIRECT_IO_ALLOW_MMAP))
		SKIP(return, "no FUSE_DIRECT_IO_ALLOW_MMAP (Linux 6.6)");
	self->stage = mmap(NULL, sizeof(*self->stage), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->stage);
	snprintf(path, sizeof(path), "%.4000s/file", self->sb.backing);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, WRITTEN));
	close(fd);
	snprintf(self->stage->path, sizeof(self->stage->path), "%.4000s/file", self->sb.mnt);
}

FIXTURE_TEARDOWN(deadlock)
{
	sandbox_destroy(&self->sb);
}

/* In place, from memory that no page table has yet. */
static void *write_unfaulted(void *arg)
{
	struct stage *s = arg;
	char *bytes = mmap(NULL, WRITTEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes != MAP_FAILED && pwrite(atomic_load(&s->fd), bytes, WRITTEN, 0) == WRITTEN)
		atomic_fetch_add(&s->ended, 1);
	return NULL;
}

static void *map_file(void *arg)
{
	struct stage *s = arg;

	if (mmap(NULL, 1, PROT_READ, MAP_SHARED, atomic_load(&s->fd), 0) != MAP_FAILED)
		atomic_fetch_add(&s->ended, 1);
	return NULL;
}

/* The process with both calls; the second begins when the first is at the server. */
static void act(struct stage *s, struct server *server)
{
	pthread_t writer, mapper;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	atomic_store(&s->fd, open(s->path, O_RDWR | O_CLOEXEC));
	server_withhold(server, FUSE_WRITE);
	pthread_create(&writer, NULL, write_unfaulted, s);
	server_wait_withheld(server, FUSE_WRITE);
	if (s->maps)
		pthread_create(&mapper, NULL, map_file, s);
	pthread_join(writer, NULL);
	if (s->maps)
		pthread_join(mapper, NULL);
	_exit(0);
}

/* Does any thread of @pid sleep uninterruptibly? */
static bool sleeps_inside(pid_t pid)
{
	char path[PATH_MAX], state = '?';
	struct dirent *task;
	bool found = false;
	DIR *dir;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !found && (task = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stat", pid, task->d_name);
		f = fopen(path, "re");
		found = f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state == 'D';
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The end of @pid within WATCH_SECONDS. */
static bool ends(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	return poll(&ended, 1, WATCH_SECONDS * 1000) == 1;
}

/* The write, with or without a mapping beside it: how many of the calls ended. */
static int play(struct __test_metadata *_metadata, struct server *server, struct stage *s,
		bool maps)
{
	double end;
	int pidfd;
	pid_t pid;

	s->maps = maps;
	atomic_store(&s->ended, 0);
	pid = fork();
	if (!pid)
		act(s, server);
	pidfd = syscall(__NR_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, server_wait_withheld(server, FUSE_WRITE));
	/* Until mmap() has ended, or waits. */
	for (end = seconds() + WATCH_SECONDS; maps && seconds() < end; sched_yield())
		if (atomic_load(&s->ended) || sleeps_inside(pid))
			break;
	server_release(server, FUSE_WRITE);
	if (!ends(pidfd)) {
		report_line("STUCK: %d of two calls ended in %d seconds, WRITE requests seen: %llu",
			    atomic_load(&s->ended), WATCH_SECONDS,
			    (unsigned long long)server_requests(server, FUSE_WRITE));
		kill(pid, SIGKILL);
		report_line("SIGKILL %s", ends(pidfd) ? "ends them" : "does not end them");
	}
	waitpid(pid, NULL, WNOHANG);
	close(pidfd);
	return atomic_load(&s->ended);
}

/* M2, L7, known deviation D7: a mapping waits for direct writes, but not with what they need. */
TEST_F(deadlock, mapping_beside_a_large_direct_write_ends)
{
	/* The control: the write alone ends. */
	ASSERT_EQ(1, play(_metadata, self->sb.server, self->stage, false));
	suite_deviation(_metadata, "D7",
			play(_metadata, self->sb.server, self->stage, true) == 2);
}

/* The plan that the init of such a guest was given. */
#define GUEST_PLAN	"/run.conf"

int main(int argc, char **argv)
{
	if (!suite_only_asks(argc, argv) &&
	    (!getenv("FUSE_TEST_DEADLOCK") || access(GUEST_PLAN, F_OK))) {
		ksft_print_header();
		ksft_exit_skip("by request only, FUSE_TEST_DEADLOCK=1 ./run_vm.sh --test deadlock: may leave processes that nothing ends\n");
	}
	return suite_main(argc, argv, SUITE_ALL_CPUS);
}
