// SPDX-License-Identifier: GPL-2.0
/*
 * The server takes its time: a reply is withheld, or a request is not even read.
 * Data of open files does not wait for that, nor do close(2), munmap(2) and
 * exit(2); who must wait can be signalled and killed, gets no errno but EINTR and
 * leaves nothing behind.
 *
 * The L and M ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "abi.h"
#include "namespace.h"
#include "process.h"
#include "suite_file.h"

SUITE_FILE_FIXTURE(withheld, testfile_reads_briefly);

/* --- a process that may have to wait --------------------------------------------- */

/* What it has of its own, opened before anything is withheld. */
struct own {
	const char *path;
	int fd;
	char *map;
};

struct child {
	pid_t pid;
	int pidfd;
	int go;
};

static void noticed(int signo)
{
	(void)signo;
}

static int live(struct own *own, bool map, int ready, int go, int (*act)(struct own *own))
{
	const struct sigaction sa = { .sa_handler = noticed };
	char byte = 0;

	sigaction(SIGUSR1, &sa, NULL);
	own->fd = open(own->path, O_RDWR | O_CLOEXEC);
	if (own->fd < 0)
		return errno;
	if (map)
		own->map = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, own->fd, 0);
	if (own->map == MAP_FAILED)
		return errno;
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		return EIO;
	return act(own);
}

/*
 * A child that has @tf open, and mapped if @map, when this returns; told to, it
 * will @act and exit with the errno of that.
 */
static void start(struct __test_metadata *_metadata, struct child *c, struct testfile *tf, bool map,
		  int (*act)(struct own *own))
{
	struct own own = { .path = tf->fuse };
	int ready[2], go[2];
	char byte;

	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	c->pid = fork();
	ASSERT_LE(0, c->pid);
	if (!c->pid) {
		close(server_device(tf->report.sb->server));
		close(ready[0]);
		close(go[1]);
		_exit(live(&own, map, ready[1], go[0], act));
	}
	close(ready[1]);
	close(go[0]);
	c->go = go[1];
	c->pidfd = syscall(SYS_pidfd_open, c->pid, 0);
	ASSERT_LE(0, c->pidfd);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	close(ready[0]);
}

static void tell(struct __test_metadata *_metadata, const struct child *c)
{
	ASSERT_EQ(1, write(c->go, "g", 1));
}

/* Within SERVER_WAIT_SECONDS: far more than it takes, and an end of waiting for it. */
static bool ends(const struct child *c)
{
	struct pollfd ended = { .fd = c->pidfd, .events = POLLIN };

	return poll(&ended, 1, SERVER_WAIT_SECONDS * 1000) == 1;
}

/* Its wait status; waits as long as it takes. */
static int bury(const struct child *c)
{
	int status = 0;

	waitpid(c->pid, &status, 0);
	close(c->pidfd);
	close(c->go);
	return status;
}

/* Nothing is cached: each question is a request. */
static void cache_nothing(const struct testfile *tf)
{
	server_set_timeouts(tf->report.sb->server, 0, 0);
}

/* L2: all is closed here and elsewhere, and the server was told of each. */
static void expect_all_released(struct __test_metadata *_metadata, struct testfile *tf)
{
	struct server *server = tf->report.sb->server;
	uint64_t opens = server_requests(server, FUSE_OPEN);

	testfile_remove(tf);
	EXPECT_EQ(0, server_wait_requests(server, FUSE_RELEASE, opens));
	EXPECT_EQ(opens, server_requests(server, FUSE_RELEASE));
}

/* --- L6: others do not wait -------------------------------------------------------- */

static int look(struct own *own)
{
	struct stat st;

	return fstat(own->fd, &st) ? errno : 0;
}

static int open_again(struct own *own)
{
	return open(own->path, O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
}

/* A request, and who makes it. */
struct question {
	const char *name;
	uint32_t opcode;
	int (*ask)(struct own *own);
};

/* L6: while one process waits for a reply, data flows for the others. */
TEST_F(withheld, data_does_not_wait_for_the_server)
{
	static const struct question rows[] = {
		{ "GETATTR", FUSE_GETATTR, look },
		{ "OPEN", FUSE_OPEN, open_again },
	};
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	struct child c;
	size_t i;

	cache_nothing(tf);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!report_select(&tf->report, "%s", rows[i].name))
			continue;
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, DATA_VIEWS));
		start(_metadata, &c, tf, false, rows[i].ask);
		server_withhold(server, rows[i].opcode);
		tell(_metadata, &c);
		EXPECT_EQ(0, server_wait_withheld(server, rows[i].opcode));
		expect_data_alive(_metadata, tf);
		server_release(server, rows[i].opcode);
		EXPECT_EQ(0, bury(&c));
		EXPECT_EQ(0U, testfile_check_all(tf));
		testfile_remove(tf);
		tf->cases++;
	}
	expect_engaged(_metadata, tf);
}

static int close_file(struct own *own)
{
	return close(own->fd) ? errno : 0;
}

static int close_and_unmap(struct own *own)
{
	return close(own->fd) || munmap(own->map, page()) ? errno : 0;
}

static int unmap_and_close(struct own *own)
{
	return munmap(own->map, page()) || close(own->fd) ? errno : 0;
}

static int just_exit(struct own *own)
{
	(void)own;
	return 0;
}

static const struct parting {
	const char *name;
	bool maps;
	int (*part)(struct own *own);
} partings[] = {
	{ "close",		false,	close_file },
	{ "close-then-munmap",	true,	close_and_unmap },
	{ "munmap-then-close",	true,	unmap_and_close },
	{ "exit",		false,	just_exit },
	{ "exit-mapped",	true,	just_exit },
};

/* L6: RELEASE is told, not asked: who closes is done, whatever the server makes of it. */
TEST_F(withheld, nobody_waits_for_release)
{
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	const struct parting *p;
	struct child c;

	for (p = partings; p < partings + ARRAY_SIZE(partings); p++) {
		if (!report_select(&tf->report, "%s", p->name))
			continue;
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, DATA_VIEWS));
		start(_metadata, &c, tf, p->maps, p->part);
		server_withhold(server, FUSE_RELEASE);
		tell(_metadata, &c);
		EXPECT_TRUE(ends(&c)) {
			TH_LOG("%s waits for the server's reply to RELEASE", p->name);
		}
		EXPECT_EQ(0, server_wait_withheld(server, FUSE_RELEASE));
		expect_data_alive(_metadata, tf);
		/* The file is as good as closed: others come and go. */
		EXPECT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F2)));
		EXPECT_EQ(0U, testfile_check_all(tf));
		server_release(server, FUSE_RELEASE);
		EXPECT_EQ(0, bury(&c));
		expect_all_released(_metadata, tf);
		tf->cases++;
	}
	expect_engaged(_metadata, tf);
}

/* --- L6: signals -------------------------------------------------------------------- */

static int look_up(struct own *own)
{
	struct stat st;

	return stat(own->path, &st) ? errno : 0;
}

static int truncate_to_its_size(struct own *own)
{
	return ftruncate(own->fd, TESTFILE_SIZE) ? errno : 0;
}

static int synchronise(struct own *own)
{
	return fsync(own->fd) ? errno : 0;
}

static int allocate(struct own *own)
{
	return fallocate(own->fd, FALLOC_FL_KEEP_SIZE, 0, 1) ? errno : 0;
}

static int seek(struct own *own)
{
	return lseek(own->fd, 0, SEEK_DATA) < 0 ? errno : 0;
}

static const struct question questions[] = {
	{ "OPEN",	FUSE_OPEN,	open_again },
	{ "GETATTR",	FUSE_GETATTR,	look },
	{ "LOOKUP",	FUSE_LOOKUP,	look_up },
	{ "SETATTR",	FUSE_SETATTR,	truncate_to_its_size },
	{ "FSYNC",	FUSE_FSYNC,	synchronise },
	{ "FALLOCATE",	FUSE_FALLOCATE,	allocate },
	{ "LSEEK",	FUSE_LSEEK,	seek },
};

/* The server is told of the signal; what it answers, or EINTR, is the result, or the end. */
static void expect_outcome(struct __test_metadata *_metadata, int signo, int status)
{
	if (signo == SIGKILL) {
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		return;
	}
	EXPECT_TRUE(WIFEXITED(status) &&
		    (!WEXITSTATUS(status) || WEXITSTATUS(status) == EINTR)) {
		TH_LOG("wait status 0x%x", status);
	}
}

static void interrupt(struct __test_metadata *_metadata, struct testfile *tf,
		      const struct question *q, int signo)
{
	struct server *server = tf->report.sb->server;
	uint64_t interrupts = server_requests(server, FUSE_INTERRUPT);
	struct child c;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, DATA_VIEWS));
	start(_metadata, &c, tf, false, q->ask);
	server_withhold(server, q->opcode);
	tell(_metadata, &c);
	ASSERT_EQ(0, server_wait_withheld(server, q->opcode));
	ASSERT_EQ(0, kill(c.pid, signo));
	EXPECT_EQ(0, server_wait_requests(server, FUSE_INTERRUPT, interrupts + 1)) {
		TH_LOG("the server was not told of the signal, case %s", tf->report.name);
	}
	server_release(server, q->opcode);
	EXPECT_TRUE(ends(&c)) {
		TH_LOG("it does not end, case %s", tf->report.name);
	}
	expect_outcome(_metadata, signo, bury(&c));
	EXPECT_EQ(0U, testfile_check_all(tf));
	expect_all_released(_metadata, tf);
	tf->cases++;
}

/* L6: the errno is EINTR or none, and nothing is leaked. */
TEST_F(withheld, signal_reaches_who_waits)
{
	static const struct {
		const char *name;
		int signo;
	} signals[] = { { "caught", SIGUSR1 }, { "killed", SIGKILL } };
	struct testfile *tf = self->tf;
	size_t i, s;

	cache_nothing(tf);
	for (i = 0; i < ARRAY_SIZE(questions); i++)
		for (s = 0; s < ARRAY_SIZE(signals); s++)
			if (report_select(&tf->report, "%s,%s", questions[i].name,
					  signals[s].name))
				interrupt(_metadata, tf, &questions[i], signals[s].signo);
	tf->report.name[0] = '\0';
	expect_engaged(_metadata, tf);
}

/* Until @done(arg) or SERVER_WAIT_SECONDS: false. */
static bool comes_true(bool (*done)(const void *arg), const void *arg)
{
	const time_t end = time(NULL) + SERVER_WAIT_SECONDS;

	while (!done(arg)) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

/* A request of this connection waits for a reply or to be read. */
static bool has_request(const void *arg)
{
	const struct server *server = arg;
	unsigned int waiting = 0;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%u/waiting", namespace_fusectl(),
		 server_connection(server));
	f = fopen(path, "re");
	if (f && fscanf(f, "%u", &waiting) != 1)
		waiting = 0;
	if (f)
		fclose(f);
	return waiting;
}

static bool is_stopped(const void *arg)
{
	return process_state(server_pid(arg)) == 'T';
}

static int look_now(struct own *own)
{
	struct statx stx;

	if (statx(own->fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_SIZE, &stx))
		return errno;
	return 0;
}

/* L6: a request that no server has read is taken back, and who made it dies at once. */
TEST_F(withheld, killed_process_does_not_wait_to_be_read)
{
	const struct server_options opt = {
		.mode = suite_mode(SERVER_PASSTHROUGH), .own_process = true,
		.attr_timeout = LONG_TIMEOUT, .entry_timeout = LONG_TIMEOUT,
	};
	struct testfile *tf = self->tf;
	struct child c;

	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
		TH_LOG("%s", self->sb.why);
	}
	ASSERT_EQ(0, testfile_create(tf, "file"));
	/* The first close learns that there is no FLUSH to wait for. */
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F2)));
	testfile_close(tf, SELF, F2);
	ASSERT_EQ(0, testfile_open(tf, SELF, DATA_VIEWS));
	start(_metadata, &c, tf, false, look_now);
	ASSERT_EQ(0U, testfile_check_all(tf));
	ASSERT_EQ(0, kill(server_pid(self->sb.server), SIGSTOP));
	EXPECT_TRUE(comes_true(is_stopped, self->sb.server));
	tell(_metadata, &c);
	EXPECT_TRUE(comes_true(has_request, self->sb.server));
	EXPECT_EQ(0, kill(c.pid, SIGKILL));
	EXPECT_TRUE(ends(&c)) {
		TH_LOG("it waits for a server that has not read its request");
	}
	/* Only write(2) has something to ask of it: the file's capabilities. */
	EXPECT_EQ(300, testfile_write(tf, SELF, MS, action_find("store"), 300, page() - 100));
	EXPECT_EQ(0U, testfile_check_all(tf));
	kill(server_pid(self->sb.server), SIGCONT);
	expect_outcome(_metadata, SIGKILL, bury(&c));
	EXPECT_EQ(0U, testfile_check_all(tf));
	expect_all_released(_metadata, tf);
	tf->cases++;
	expect_engaged(_metadata, tf);
}

/* --- M2, L6: a mapping that waits for a write ---------------------------------------- */

/* EBADMSG if the mapping is older than the write it waited for. */
static int map_and_load(struct own *own)
{
	const volatile char *map = mmap(NULL, page(), PROT_READ, MAP_SHARED, own->fd, 0);

	if (map == MAP_FAILED)
		return errno;
	return map[0] == 'w' ? 0 : EBADMSG;
}

static void *write_byte(void *arg)
{
	const int *fd = arg;

	return pwrite(*fd, "w", 1, 0) == 1 ? NULL : arg;
}

/* Seen so often in a row it is held, not on its way through a lock. */
#define HELD_LOOKS	20

static bool is_held(const void *arg)
{
	const struct child *c = arg;
	int looks = 0;

	while (looks < HELD_LOOKS && process_state(c->pid) == 'D')
		looks++;
	return looks == HELD_LOOKS;
}

static void interrupt_mapping(struct __test_metadata *_metadata, struct testfile *tf, int signo)
{
	struct server *server = tf->report.sb->server;
	pthread_t thread;
	void *failed;
	struct child c;
	int fd;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	server_set_mode(server, SERVER_DIRECT_PARALLEL);
	fd = open(tf->fuse, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	start(_metadata, &c, tf, false, map_and_load);
	server_withhold(server, FUSE_WRITE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_byte, &fd));
	EXPECT_EQ(0, server_wait_withheld(server, FUSE_WRITE));
	tell(_metadata, &c);
	EXPECT_TRUE(comes_true(is_held, &c)) {
		TH_LOG("the mapping does not wait for the write");
	}
	EXPECT_EQ(0, kill(c.pid, signo));
	server_release(server, FUSE_WRITE);
	pthread_join(thread, &failed);
	EXPECT_EQ(NULL, failed);
	EXPECT_TRUE(ends(&c)) {
		TH_LOG("the mapping waits for a write that is done");
	}
	expect_outcome(_metadata, signo, bury(&c));
	close(fd);
	/* Its mode went with it. */
	server_set_mode(server, SERVER_PASSTHROUGH);
	EXPECT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1)));
	expect_all_released(_metadata, tf);
	tf->cases++;
}

/* L6, M2: a mapping of a direct file waits for the writes under way; signals change nothing. */
TEST_F(withheld, signal_spares_a_waiting_mapping)
{
	const struct server_options opt = {
		.mode = SERVER_DIRECT_PARALLEL, .init_set = FUSE_DIRECT_IO_ALLOW_MMAP,
	};
	struct testfile *tf = self->tf;

	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI has no io modes");
	if (!(server_init_offered(self->sb.server) & FUSE_DIRECT_IO_ALLOW_MMAP))
		SKIP(return, "this kernel has no FUSE_DIRECT_IO_ALLOW_MMAP (Linux 6.6)");
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
		TH_LOG("%s", self->sb.why);
	}
	interrupt_mapping(_metadata, tf, SIGUSR1);
	interrupt_mapping(_metadata, tf, SIGKILL);
	EXPECT_EQ(2U, tf->cases);
}

SUITE_MAIN()
