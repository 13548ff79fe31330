// SPDX-License-Identifier: GPL-2.0
/*
 * The server that every other program trusts: its modes reach the kernel, its
 * counters count, and withholding, failing, notifying and dying do what
 * lib/server.h says. server_files.c has the file operations.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "abi.h"
#include "suite.h"

FIXTURE(server)
{
	struct sandbox sb;
	struct server *srv;
	char path[PATH_MAX];	/* "file", through FUSE */
	int backing;		/* the same beside it */
	bool has_passthrough;
};

/* Who serves must make no difference. */
FIXTURE_VARIANT(server)
{
	unsigned int threads;
	bool own_process;
};

FIXTURE_VARIANT_ADD(server, one_thread) { .threads = 1 };
FIXTURE_VARIANT_ADD(server, four_threads) { .threads = 4 };
FIXTURE_VARIANT_ADD(server, own_process) { .threads = 1, .own_process = true };

static const char content[] = "what the backing file holds";
static const char other[] = "WHAT SOMEBODY ELSE WROTE...";

FIXTURE_SETUP(server)
{
	struct sandbox_options opt = {
		.fs = "tmpfs",
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
			.threads = variant->threads,
			.own_process = variant->own_process,
		},
	};
	char beside[PATH_MAX];

	SUITE_SANDBOX(&self->sb, opt);
	self->srv = self->sb.server;
	self->has_passthrough = server_abi(self->srv) == SERVER_ABI_MAINLINE;
	if (!self->has_passthrough)
		server_set_mode(self->srv, SERVER_CACHED);
	snprintf(self->path, sizeof(self->path), "%.4000s/file", self->sb.mnt);
	snprintf(beside, sizeof(beside), "%.4000s/file", self->sb.backing);
	self->backing = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, self->backing);
	ASSERT_EQ((ssize_t)sizeof(content), pwrite(self->backing, content, sizeof(content), 0));
}

FIXTURE_TEARDOWN(server)
{
	close(self->backing);
	sandbox_destroy(&self->sb);
}

static const char no_passthrough[] = "kernel without mainline FUSE passthrough";

/* How many @opcode requests @action made. */
#define REQUESTS(opcode, action)					\
	({								\
		const uint32_t _opcode = opcode;			\
		uint64_t _before = server_requests(self->srv, _opcode);	\
									\
		(void)(action);						\
		server_requests(self->srv, _opcode) - _before;		\
	})

static ssize_t read_at_start(int fd)
{
	char seen[sizeof(content)];

	return pread(fd, seen, sizeof(seen), 0);
}

static bool loads_content(int fd)
{
	char *map = mmap(NULL, sizeof(content), PROT_READ, MAP_PRIVATE, fd, 0);
	bool same;

	if (map == MAP_FAILED)
		return false;
	same = !memcmp(map, content, sizeof(content));
	munmap(map, sizeof(content));
	return same;
}

/* --- modes --------------------------------------------------------------- */

struct mode_traffic {
	enum server_mode mode;
	unsigned int first_read, second_read, write, load;	/* requests each makes */
	bool kept;						/* no READ after opening again */
};

/* Documentation/filesystems/fuse/fuse-io.rst and fuse-passthrough.rst */
static const struct mode_traffic traffic[] = {
	{ SERVER_CACHED, 1, 0, 1, 0, false },
	{ SERVER_KEEP_CACHE, 1, 0, 1, 0, true },
	{ SERVER_DIRECT, 1, 1, 1, 1, false },
	{ SERVER_DIRECT_PARALLEL, 1, 1, 1, 1, false },
	{ SERVER_PASSTHROUGH, 0, 0, 0, 0, true },
	{ SERVER_PASSTHROUGH_DIRECT, 1, 1, 1, 0, false },
};

TEST_F(server, modes_reach_the_kernel)
{
	for (size_t i = 0; i < sizeof(traffic) / sizeof(*traffic); i++) {
		const struct mode_traffic *t = &traffic[i];
		bool loaded;
		int fd;

		if (t->mode >= SERVER_PASSTHROUGH && !self->has_passthrough)
			continue;
		server_set_mode(self->srv, t->mode);
		fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		server_notify_inval(self->srv, "file", 0, 0);
		EXPECT_EQ(t->first_read, REQUESTS(FUSE_READ, read_at_start(fd)));
		EXPECT_EQ(t->second_read, REQUESTS(FUSE_READ, read_at_start(fd)));
		close(fd);

		fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_EQ(!t->kept, REQUESTS(FUSE_READ, read_at_start(fd)));
		EXPECT_EQ(t->load, REQUESTS(FUSE_READ, loaded = loads_content(fd)));
		EXPECT_TRUE(loaded);
		EXPECT_EQ(t->write, REQUESTS(FUSE_WRITE, pwrite(fd, content, 4, 0)));
		close(fd);
		if (_metadata->exit_code == KSFT_FAIL)
			TH_LOG("up to mode %s", server_mode_name(t->mode));
	}
}

TEST_F(server, each_open_may_have_a_mode_of_its_own)
{
	int cached, direct;

	server_set_mode(self->srv, SERVER_CACHED);
	cached = open(self->path, O_RDONLY | O_CLOEXEC);
	server_set_mode(self->srv, SERVER_DIRECT);
	direct = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, cached);
	ASSERT_LE(0, direct);

	EXPECT_EQ(1, REQUESTS(FUSE_READ, read_at_start(cached)));
	EXPECT_EQ(0, REQUESTS(FUSE_READ, read_at_start(cached)));
	EXPECT_EQ(1, REQUESTS(FUSE_READ, read_at_start(direct)));
	EXPECT_EQ(1, REQUESTS(FUSE_READ, read_at_start(direct)));
	close(cached);
	close(direct);
}

/* The kernel turns every wrong open reply into EIO, and sends RELEASE for it. */
TEST_F(server, wrong_open_replies_are_refused)
{
	static const struct {
		uint32_t flags;
		int32_t id;
	} wrong[] = {
		{ FOPEN_PASSTHROUGH, 0 },
		{ FOPEN_PASSTHROUGH, -1 },
		{ FOPEN_PASSTHROUGH, 123456 },
	};
	const unsigned int count = sizeof(wrong) / sizeof(*wrong);
	int fd, id, first;

	if (!self->has_passthrough)
		SKIP(return, no_passthrough);
	for (unsigned int i = 0; i < count; i++) {
		server_set_open_reply(self->srv, wrong[i].flags, wrong[i].id);
		EXPECT_EQ(-1, open(self->path, O_RDWR | O_CLOEXEC));
		EXPECT_EQ(EIO, errno);
	}

	/* The second id: a server that always answers the first one is wrong. */
	first = server_backing_open(self->srv, self->backing);
	id = server_backing_open(self->srv, self->backing);
	ASSERT_LT(first, id);
	EXPECT_EQ(0, server_backing_close(self->srv, first));
	server_set_open_reply(self->srv, FOPEN_PASSTHROUGH | FOPEN_KEEP_CACHE, id);
	EXPECT_EQ(-1, open(self->path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, server_wait_requests(self->srv, FUSE_RELEASE, count + 1));

	server_set_open_reply(self->srv, FOPEN_PASSTHROUGH, id);
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, REQUESTS(FUSE_READ, read_at_start(fd)));
	close(fd);
	EXPECT_EQ(0, server_backing_close(self->srv, id));
}

TEST_F(server, an_inode_has_one_backing_id_while_it_is_open)
{
	int id, fd1, fd2;

	if (!self->has_passthrough)
		SKIP(return, no_passthrough);
	EXPECT_EQ(0, server_backing_id(self->srv, "file"));
	fd1 = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd1);
	id = server_backing_id(self->srv, "file");
	EXPECT_LT(0, id);
	fd2 = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd2);
	EXPECT_EQ(id, server_backing_id(self->srv, "file"));

	close(fd1);
	ASSERT_EQ(0, server_wait_requests(self->srv, FUSE_RELEASE, 1));
	EXPECT_EQ(id, server_backing_id(self->srv, "file"));
	close(fd2);
	ASSERT_EQ(0, server_wait_requests(self->srv, FUSE_RELEASE, 2));
	EXPECT_EQ(0, server_backing_id(self->srv, "file"));
	EXPECT_EQ(-ENOENT, server_backing_close(self->srv, id));
}

/* --- INIT ---------------------------------------------------------------- */

TEST_F(server, init_flags_are_set_and_cleared_on_the_wire)
{
	struct server_options opt = {
		.init_set = FUSE_WRITEBACK_CACHE,
		.init_clear = FUSE_ATOMIC_O_TRUNC,
		.own_process = variant->own_process,
	};
	uint64_t replied = server_init_replied(self->srv);

	EXPECT_EQ(0, replied & FUSE_WRITEBACK_CACHE);
	EXPECT_NE(0, replied & FUSE_ATOMIC_O_TRUNC);
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt));
	self->srv = self->sb.server;
	replied = server_init_replied(self->srv);
	EXPECT_NE(0, replied & FUSE_WRITEBACK_CACHE);
	EXPECT_EQ(0, replied & FUSE_ATOMIC_O_TRUNC);

	/* The kernel took both: it truncates by SETATTR and does not write at once. */
	EXPECT_EQ(1, REQUESTS(FUSE_SETATTR, close(open(self->path, O_WRONLY | O_TRUNC))));
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, REQUESTS(FUSE_WRITE, pwrite(fd, content, sizeof(content), 0)));
	EXPECT_EQ(1, REQUESTS(FUSE_WRITE, fsync(fd)));
	close(fd);
}

/* Depth 0 and 3 are refused silently: BACKING_OPEN then says EPERM (fs/fuse/inode.c). */
TEST_F(server, stack_depth_is_sent_as_given)
{
	static const struct {
		unsigned int depth;
		bool accepted;
	} depths[] = {
		{ 0, true }, { 1, true }, { 2, true },
		{ SERVER_STACK_DEPTH_NONE, false }, { 3, false },
	};

	if (!self->has_passthrough)
		SKIP(return, no_passthrough);
	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		struct server_options opt = {
			.stack_depth = depths[i].depth,
			.own_process = variant->own_process,
		};
		int id;

		ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt));
		self->srv = self->sb.server;
		id = server_backing_open(self->srv, self->backing);
		EXPECT_EQ(depths[i].accepted ? 1 : -EPERM, id > 0 ? 1 : id);
	}
}

TEST_F(server, passthrough_can_be_left_out_of_init)
{
	struct server_options opt = {
		.mode = SERVER_PASSTHROUGH,
		.init_clear = FUSE_PASSTHROUGH,
		.own_process = variant->own_process,
	};

	if (!self->has_passthrough)
		SKIP(return, no_passthrough);
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt));
	self->srv = self->sb.server;
	EXPECT_EQ(SERVER_ABI_NONE, server_abi(self->srv));
	EXPECT_EQ(-EPERM, server_backing_open(self->srv, self->backing));
	EXPECT_EQ(-1, open(self->path, O_RDONLY));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

/* --- what is answered, and when ------------------------------------------ */

TEST_F(server, attribute_timeout_changes_while_serving)
{
	int fd = open(self->path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, REQUESTS(FUSE_GETATTR, fstat(fd, &st)));

	/* The answer in force runs down only when it is dropped. */
	server_set_timeouts(self->srv, 0, 0);
	server_notify_inval(self->srv, "file", -1, 0);
	EXPECT_EQ(1, REQUESTS(FUSE_GETATTR, fstat(fd, &st)));
	EXPECT_EQ(1, REQUESTS(FUSE_GETATTR, fstat(fd, &st)));

	server_set_timeouts(self->srv, LONG_TIMEOUT, LONG_TIMEOUT);
	EXPECT_EQ(1, REQUESTS(FUSE_GETATTR, fstat(fd, &st)));
	EXPECT_EQ(0, REQUESTS(FUSE_GETATTR, fstat(fd, &st)));
	close(fd);
}

TEST_F(server, entry_timeout_changes_while_serving)
{
	struct stat st;

	server_set_timeouts(self->srv, LONG_TIMEOUT, 0);
	EXPECT_EQ(1, REQUESTS(FUSE_LOOKUP, stat(self->path, &st)));
	EXPECT_EQ(1, REQUESTS(FUSE_LOOKUP, stat(self->path, &st)));
	server_set_timeouts(self->srv, LONG_TIMEOUT, LONG_TIMEOUT);
	EXPECT_EQ(1, REQUESTS(FUSE_LOOKUP, stat(self->path, &st)));
	EXPECT_EQ(0, REQUESTS(FUSE_LOOKUP, stat(self->path, &st)));
}

TEST_F(server, requests_fail_as_often_as_told)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	server_fail(self->srv, FUSE_FSYNC, EUCLEAN, 2);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-1, fsync(fd));
		EXPECT_EQ(EUCLEAN, errno);
	}
	EXPECT_EQ(0, fsync(fd));

	server_fail(self->srv, FUSE_FSYNC, EUCLEAN, 2);
	server_fail(self->srv, FUSE_FSYNC, EUCLEAN, 0);
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(4, server_requests(self->srv, FUSE_FSYNC));
	close(fd);
}

/* An opcode that libfuse may or may not know is failed on the wire all the same. */
TEST_F(server, opcodes_unknown_to_libfuse_are_counted)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	server_fail(self->srv, FUSE_IOCTL, EUCLEAN, 1);
	EXPECT_EQ(-1, ioctl(fd, _IO('x', 1)));
	EXPECT_EQ(EUCLEAN, errno);
	EXPECT_EQ(1, server_requests(self->srv, FUSE_IOCTL));
	close(fd);
}

/* In a child: its exit status is the errno of @call. */
#define CHILD(call)							\
	({								\
		pid_t _pid = fork();					\
									\
		if (!_pid)						\
			_exit((call) < 0 ? errno : 0);			\
		_pid;							\
	})

static int exit_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(server, a_withheld_request_waits_alone)
{
	int status, fd = open(self->path, O_RDWR | O_CLOEXEC);
	int dir = open(self->sb.mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, dir);
	server_withhold(self->srv, FUSE_FSYNC);
	child = CHILD(fsync(fd));
	ASSERT_EQ(0, server_wait_withheld(self->srv, FUSE_FSYNC));

	/* Others are served meanwhile; an fsync of the same file waits in the kernel. */
	EXPECT_EQ(0, fsync(dir));
	EXPECT_EQ(1, REQUESTS(FUSE_STATFS, fpathconf(fd, _PC_NAME_MAX)));
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));

	server_release(self->srv, FUSE_FSYNC);
	EXPECT_EQ(0, exit_status(child));
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(2, server_requests(self->srv, FUSE_FSYNC));
	close(dir);
	close(fd);
}

TEST_F(server, several_opcodes_are_withheld_at_once)
{
	static const uint32_t opcodes[] = { FUSE_FSYNC, FUSE_STATFS, FUSE_GETXATTR };
	int fd = open(self->path, O_RDWR | O_CLOEXEC);
	pid_t children[3];

	ASSERT_LE(0, fd);
	for (int i = 0; i < 3; i++)
		server_withhold(self->srv, opcodes[i]);
	children[0] = CHILD(fsync(fd));
	children[1] = CHILD(fpathconf(fd, _PC_NAME_MAX));
	children[2] = CHILD(fgetxattr(fd, "trusted.none", NULL, 0));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, server_wait_withheld(self->srv, opcodes[i]));
	/*
	 * FSYNC first: up to 6.12 it waits with the inode locked, and the other
	 * children need that lock in the FLUSH of their exit.
	 */
	for (int i = 0; i < 3; i++) {
		server_release(self->srv, opcodes[i]);
		EXPECT_EQ(i == 2 ? ENODATA : 0, exit_status(children[i]));
	}
	close(fd);
}

/* Data of a withheld WRITE is kept whole: it reaches the backing file later. */
TEST_F(server, a_withheld_write_is_carried_out_when_released)
{
	char seen[sizeof(content)] = "";
	pid_t child;
	int fd;

	server_set_mode(self->srv, SERVER_DIRECT);
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	server_withhold(self->srv, FUSE_WRITE);
	child = CHILD(pwrite(fd, other, sizeof(other), 0));
	ASSERT_EQ(0, server_wait_withheld(self->srv, FUSE_WRITE));
	pread(self->backing, seen, sizeof(seen), 0);
	EXPECT_STREQ(content, seen);

	server_release(self->srv, FUSE_WRITE);
	EXPECT_EQ(0, exit_status(child));
	pread(self->backing, seen, sizeof(seen), 0);
	EXPECT_STREQ(other, seen);
	close(fd);
}

static int sees_size(const char *path, off_t size)
{
	struct stat st;

	if (stat(path, &st))
		return -1;
	errno = EBADMSG;
	return st.st_size == size ? 0 : -1;
}

/* The reply tells how things were when the request was carried out. */
TEST_F(server, a_withheld_reply_is_old_when_it_comes)
{
	struct stat st, was;
	pid_t child;

	server_set_timeouts(self->srv, 0, LONG_TIMEOUT);
	ASSERT_EQ(0, stat(self->path, &was));
	server_withhold_reply(self->srv, FUSE_GETATTR);
	child = CHILD(sees_size(self->path, was.st_size));
	ASSERT_EQ(0, server_wait_withheld(self->srv, FUSE_GETATTR));
	ASSERT_EQ(0, ftruncate(self->backing, was.st_size + 1));
	/* Others are answered meanwhile. */
	EXPECT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(was.st_size + 1, st.st_size);
	server_release(self->srv, FUSE_GETATTR);
	EXPECT_EQ(0, exit_status(child));
}

TEST_F(server, withholding_can_be_taken_back)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	server_withhold(self->srv, FUSE_FSYNC);
	server_release(self->srv, FUSE_FSYNC);
	server_withhold_reply(self->srv, FUSE_FSYNC);
	server_release(self->srv, FUSE_FSYNC);
	EXPECT_EQ(0, fsync(fd));
	close(fd);
}

/* --- notifications -------------------------------------------------------- */

TEST_F(server, invalidation_drops_cached_pages)
{
	char seen[sizeof(content)];
	struct stat st;
	int fd;

	server_set_mode(self->srv, SERVER_CACHED);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	read_at_start(fd);

	/* A new mtime would drop the pages as well (FUSE_AUTO_INVAL_DATA). */
	ASSERT_EQ(0, fstat(self->backing, &st));
	pwrite(self->backing, other, sizeof(other), 0);
	ASSERT_EQ(0, futimens(self->backing, (struct timespec[]) { st.st_atim, st.st_mtim }));
	pread(fd, seen, sizeof(seen), 0);
	EXPECT_STREQ(content, seen);

	EXPECT_EQ(0, server_notify_inval(self->srv, "file", 0, 0));
	pread(fd, seen, sizeof(seen), 0);
	EXPECT_STREQ(other, seen);
	EXPECT_EQ(-ENOENT, server_notify_inval(self->srv, "no such file", 0, 0));
	close(fd);
}

TEST_F(server, stored_bytes_enter_the_page_cache)
{
	char seen[sizeof(content)];
	int fd;

	server_set_mode(self->srv, SERVER_CACHED);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, server_notify_store(self->srv, "file", 0, other, sizeof(other)));
	pread(fd, seen, sizeof(seen), 0);
	EXPECT_STREQ(other, seen);
	pread(self->backing, seen, sizeof(seen), 0);
	EXPECT_STREQ(content, seen);
	close(fd);
}

/* --- life and death -------------------------------------------------------- */

TEST_F(server, a_forked_child_commands_the_same_server)
{
	uint64_t before = server_requests(self->srv, FUSE_STATFS);
	int fd = open(self->path, O_RDWR | O_CLOEXEC);
	pid_t child = fork();

	ASSERT_LE(0, fd);
	if (!child) {
		server_fail(self->srv, FUSE_FSYNC, EUCLEAN, 1);
		fpathconf(fd, _PC_NAME_MAX);
		_exit(server_requests(self->srv, FUSE_STATFS) != before + 1);
	}
	EXPECT_EQ(0, exit_status(child));
	EXPECT_EQ(before + 1, server_requests(self->srv, FUSE_STATFS));
	EXPECT_EQ(-1, fsync(fd));
	EXPECT_EQ(EUCLEAN, errno);
	close(fd);
}

TEST_F(server, killing_the_server_ends_the_connection)
{
	struct server_options opt = {
		.mode = SERVER_CACHED,
		.attr_timeout = LONG_TIMEOUT,
		.entry_timeout = LONG_TIMEOUT,
		.own_process = true,
	};
	struct stat st;
	int fd;

	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt));
	self->srv = self->sb.server;
	EXPECT_NE(getpid(), server_pid(self->srv));
	EXPECT_EQ(-1, server_device(self->srv));
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kill(server_pid(self->srv), SIGKILL));

	/* WNOWAIT: the server's owner reaps it. */
	ASSERT_EQ(0, waitid(P_PID, server_pid(self->srv), &(siginfo_t){}, WEXITED | WNOWAIT));
	EXPECT_EQ(-1, fsync(fd));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, statx(AT_FDCWD, self->path, AT_STATX_FORCE_SYNC, STATX_SIZE,
			    &(struct statx){}));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, open(self->path, O_RDONLY));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(0, stat(self->path, &st));
	close(fd);
}

TEST_F(server, an_aborted_connection_answers_enotconn)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, server_abort(self->srv));
	EXPECT_EQ(-1, fsync(fd));
	EXPECT_EQ(ENOTCONN, errno);
	close(fd);
}

/* The number of an ended connection is given to the next mount, whoever made it. */
TEST_F(server, an_abort_never_hits_the_next_connection)
{
	struct server *srv = self->srv, *next = NULL;
	struct server_options opt = { .mode = SERVER_CACHED };
	unsigned int number = server_connection(srv);
	char mnt[PATH_MAX];
	int fd;

	ASSERT_EQ(0, umount2(self->sb.mnt, MNT_DETACH));
	ASSERT_EQ(1, poll(&(struct pollfd) { server_ended_fd(srv), POLLIN, 0 }, 1,
			  SERVER_WAIT_SECONDS * 1000));
	snprintf(mnt, sizeof(mnt), "%.4000s", self->sb.mnt);
	ASSERT_EQ(0, server_start(&next, self->sb.backing, mnt, &opt));
	if (server_connection(next) != number)
		TH_LOG("another number: somebody else was faster");

	server_abort(srv);
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	server_stop(next);
}

/* Stopping frees who waits for an answer, though files are open and a reply is due. */
TEST_F(server, stopping_never_waits_for_open_files)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);
	pid_t child;

	ASSERT_LE(0, fd);
	server_withhold(self->srv, FUSE_FSYNC);
	child = CHILD(fsync(fd));
	ASSERT_EQ(0, server_wait_withheld(self->srv, FUSE_FSYNC));
	sandbox_destroy(&self->sb);
	EXPECT_NE(0, exit_status(child));
	EXPECT_EQ(-1, fsync(fd));
	EXPECT_EQ(ENOTCONN, errno);
	close(fd);
}

/* The connection must end although somebody else holds the device open. */
TEST_F(server, stopping_does_not_need_the_last_descriptor)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);
	int gate[2];
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe2(gate, O_CLOEXEC));
	child = fork();
	if (!child) {
		char end;

		close(gate[1]);
		_exit(read(gate[0], &end, 1));
	}
	sandbox_destroy(&self->sb);
	EXPECT_EQ(-1, fsync(fd));
	EXPECT_EQ(ENOTCONN, errno);
	close(fd);
	close(gate[0]);
	close(gate[1]);
	EXPECT_EQ(0, exit_status(child));
}

SUITE_MAIN_ANY()
