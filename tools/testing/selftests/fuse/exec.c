// SPDX-License-Identifier: GPL-2.0
/*
 * Programs on a mount whose files are opened in passthrough mode: what runs are
 * the bytes of the backing file, and a file is either written or executed,
 * never both (open(2) and execve(2), ETXTBSY).
 *
 * The program that runs is a copy of this one. Started with PROBE in its
 * environment it does nothing but exit with the status that its marker holds;
 * tests write other markers.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi.h"
#include "suite.h"

#define PROBE		"FUSE_SELFTEST_EXEC_PROBE"

/* The last byte before the end of the string is the exit status. */
static const volatile char marker[] = "exit status of the copied program: \1";
#define MARKER_LEN	(sizeof(marker) - 1)

/* Before main(): "wait" says that it runs and goes on when its input ends. */
static void __attribute__((constructor)) run_as_probe(void)
{
	const char *probe = getenv(PROBE);
	char byte = 'r';

	if (!probe)
		return;
	if (!strcmp(probe, "wait") && write(STDOUT_FILENO, &byte, 1) == 1)
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	_exit(marker[MARKER_LEN - 1]);
}

struct program {
	char path[PATH_MAX], backing[PATH_MAX];
	off_t status_at;		/* where its exit status lies in the file */
};

FIXTURE(exec)
{
	struct sandbox sb;
	struct report_case report;
	struct program program;
};

BACKING_VARIANTS(exec);

/* Where the marker is, which must be found once; -1 otherwise. */
static off_t find_marker(int fd, size_t size)
{
	const char *needle = (const char *)marker, *found, *again = NULL;
	char *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	off_t at = -1;

	if (file == MAP_FAILED)
		return -1;
	/* The needle is the marker itself: a string constant would be found as well. */
	found = memmem(file, size, needle, MARKER_LEN);
	if (found)
		again = memmem(found + 1, file + size - found - 1, needle, MARKER_LEN);
	if (found && !again)
		at = found - file + MARKER_LEN - 1;
	munmap(file, size);
	return at;
}

static void copy_program(struct __test_metadata *_metadata, struct program *p)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(p->backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat st;
	off_t done = 0;

	ASSERT_LE(0, from);
	ASSERT_LE(0, to);
	ASSERT_EQ(0, fstat(from, &st));
	while (done < st.st_size)
		ASSERT_LT(0, sendfile(to, from, &done, st.st_size - done));
	p->status_at = find_marker(to, st.st_size);
	close(from);
	close(to);
	ASSERT_LT(0, p->status_at) {
		TH_LOG("the marker is not once in this program");
	}
}

FIXTURE_SETUP(exec)
{
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	self->report = suite_case(_metadata, variant->fs, &self->sb);
	snprintf(self->program.path, PATH_MAX, "%.4000s/program", self->sb.mnt);
	snprintf(self->program.backing, PATH_MAX, "%.4000s/program", self->sb.backing);
	copy_program(_metadata, &self->program);
}

FIXTURE_TEARDOWN(exec)
{
	sandbox_destroy(&self->sb);
}

/* --- running -------------------------------------------------------------------- */

/* A program that waits; its input ends with @input. */
struct running {
	pid_t pid;
	int input, output;
};

/* 0 or errno of execve(2). */
static int start(const char *path, const char *probe, struct running *r)
{
	char env[64], *argv[] = { "program", NULL }, *envp[] = { env, NULL };
	posix_spawn_file_actions_t fds;
	int in[2], out[2], err;

	snprintf(env, sizeof(env), PROBE "=%s", probe);
	if (pipe2(in, O_CLOEXEC))
		return errno;
	if (pipe2(out, O_CLOEXEC)) {
		close(in[0]);
		close(in[1]);
		return errno;
	}
	posix_spawn_file_actions_init(&fds);
	posix_spawn_file_actions_adddup2(&fds, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fds, out[1], STDOUT_FILENO);
	err = posix_spawn(&r->pid, path, &fds, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&fds);
	close(in[0]);
	close(out[1]);
	r->input = in[1];
	r->output = out[0];
	if (err) {
		close(r->input);
		close(r->output);
	}
	return err;
}

/* Let it end: its exit status, or -1. */
static int finish(struct running *r)
{
	int status = 0;

	close(r->input);
	close(r->output);
	if (waitpid(r->pid, &status, 0) != r->pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Run to the end: exit status, or negative errno of execve(2). */
static int run(const char *path)
{
	struct running r;
	int err = start(path, "exit", &r);

	return err ? -err : finish(&r);
}

/* Start it and see that it runs. */
static void run_waiting(struct __test_metadata *_metadata, const char *path, struct running *r)
{
	char byte;

	ASSERT_EQ(0, start(path, "wait", r));
	ASSERT_EQ(1, read(r->output, &byte, 1));
}

/* --- C16: the bytes that run -------------------------------------------------------- */

static bool patch_by_write(const char *path, off_t at, char status)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = pwrite(fd, &status, 1, at) == 1;

	return !close(fd) && done;
}

static bool patch_by_store(const char *path, off_t at, char status)
{
	const long page = sysconf(_SC_PAGESIZE);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at - at % page);

	close(fd);
	if (map == MAP_FAILED)
		return false;
	map[at % page] = status;
	return !munmap(map, page);
}

/* C16: what is executed is what was last written, by whatever way. */
TEST_F(exec, program_runs_as_written)
{
	const struct program *p = &self->program;
	const struct {
		const char *name, *path;
		bool (*patch)(const char *path, off_t at, char status);
	} patches[] = {
		{ "write-backing", p->backing, patch_by_write },
		{ "store", p->path, patch_by_store },
		{ "write", p->path, patch_by_write },
		{ "store-backing", p->backing, patch_by_store },
		{ "write", p->path, patch_by_write },
	};
	char status = 1;
	size_t i;

	EXPECT_EQ(status, run(p->path));
	for (i = 0; i < ARRAY_SIZE(patches); i++) {
		status = 10 + i;
		ASSERT_TRUE(patches[i].patch(patches[i].path, p->status_at, status)) {
			TH_LOG("%s: %s", patches[i].name, strerror(errno));
		}
		EXPECT_EQ(status, run(p->path)) {
			TH_LOG("after %s an older program ran", patches[i].name);
			report_rerun(&self->report);
		}
	}
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
}

#if defined(__x86_64__)
/* mov eax, imm32; ret */
#define RETURN_NUMBER(n) { 0xb8, (n), 0, 0, 0, 0xc3 }
#elif defined(__aarch64__)
/* movz w0, #imm16; ret, little endian */
#define RETURN_NUMBER(n) { ((n) & 7) << 5, (n) >> 3, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 }
#endif

/* C16: mmap(PROT_EXEC): instructions are bytes of the file like any others. */
TEST_F(exec, mapped_instructions_run_as_written)
{
#ifdef RETURN_NUMBER
	static const unsigned char codes[][8] = { RETURN_NUMBER(1), RETURN_NUMBER(9),
						  RETURN_NUMBER(20) };
	static const int numbers[] = { 1, 9, 20 };
	const size_t page = sysconf(_SC_PAGESIZE);
	int fd = open(self->program.path, O_RDWR | O_CLOEXEC);
	int backing = open(self->program.backing, O_RDWR | O_CLOEXEC);
	int (*code)(void);
	size_t i;
	char *map;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, backing);
	map = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	memcpy(&code, &map, sizeof(code));
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		ASSERT_EQ(8, pwrite(i & 1 ? backing : fd, codes[i], 8, 0));
		__builtin___clear_cache(map, map + 8);
		EXPECT_EQ(numbers[i], code());
	}
	munmap(map, page);
	close(fd);
	close(backing);
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
#else
	SKIP(return, "no machine code of this architecture in this test");
#endif
}

/* --- C16: written or executed ----------------------------------------------------------- */

/* errno of an attempt to open for writing, 0 if it succeeded. */
static int open_for_writing(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* C16 */
TEST_F(exec, running_program_is_not_written)
{
	const struct program *p = &self->program;
	struct running r;

	run_waiting(_metadata, p->path, &r);
	EXPECT_EQ(ETXTBSY, open_for_writing(p->path));
	EXPECT_EQ(-1, truncate(p->path, 100));
	EXPECT_EQ(ETXTBSY, errno);
	EXPECT_EQ(1, finish(&r));
	EXPECT_EQ(0, open_for_writing(p->path));
}

/* C16, known deviation D9: nor through the backing file. */
TEST_F(exec, running_program_is_not_written_beside_fuse)
{
	const struct program *p = &self->program;
	struct running r;
	int err;

	run_waiting(_metadata, p->path, &r);
	err = open_for_writing(p->backing);
	EXPECT_EQ(1, finish(&r));
	EXPECT_TRUE(!err || err == ETXTBSY);
	suite_deviation(_metadata, "D9", err == ETXTBSY);
}

/* C16: the same from the other side; the backing file is open for writing then. */
TEST_F(exec, file_open_for_writing_is_not_executed)
{
	const struct program *p = &self->program;
	uint64_t opens;
	int fd;

	fd = open(p->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ETXTBSY, run(p->path));
	EXPECT_EQ(-ETXTBSY, run(p->backing));
	close(fd);
	EXPECT_EQ(1, run(p->path));
	/* The server has it open until it is told otherwise. */
	opens = server_requests(self->sb.server, FUSE_OPEN);
	EXPECT_EQ(0, server_wait_requests(self->sb.server, FUSE_RELEASE, opens));
	EXPECT_EQ(1, run(p->backing));
}

SUITE_MAIN()
