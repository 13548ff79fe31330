// SPDX-License-Identifier: GPL-2.0
/*
 * passthrough_mount as its users see it: what it says and how it ends when
 * something is wrong, that each mode mounts, and what is left when it dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "mount_options.h"
#include "mount_tool.h"
#include "suite.h"

#define MAX_ARGS 8
#define WAIT_MS (SERVER_WAIT_SECONDS * 1000)

FIXTURE(standalone)
{
	struct sandbox sb;
	char stats[PATH_MAX];
	char stats_option[PATH_MAX + 8];
	bool has_passthrough;
};

FIXTURE_SETUP(standalone)
{
	struct sandbox_options opt = { .fs = "tmpfs" };
	int fd;

	/* Mounted once, to ask the kernel; then only its two directories are used. */
	SUITE_SANDBOX(&self->sb, opt);
	self->has_passthrough = server_abi(self->sb.server) != SERVER_ABI_NONE;
	server_stop(self->sb.server);
	self->sb.server = NULL;
	snprintf(self->stats, sizeof(self->stats), "%.4000s.stats", self->sb.backing);
	snprintf(self->stats_option, sizeof(self->stats_option), "stats=%s", self->stats);
	fd = open(self->sb.backing, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	close(openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	ASSERT_EQ(0, mkdirat(fd, "inside", 0755));
	close(fd);
}

FIXTURE_TEARDOWN(standalone)
{
	umount2(self->sb.mnt, MNT_DETACH);
	unlink(self->stats);
	sandbox_destroy(&self->sb);
}

#define ARGS(...) ((char *[]) { "passthrough_mount", __VA_ARGS__, NULL })

struct outcome {
	int status;		/* exit status, or -1 */
	char said[1024];	/* on stderr */
};

static int count_args(char **args)
{
	int count = 0;

	while (args[count])
		count++;
	return count;
}

/* The program in a child; with @said its messages come back through a pipe. */
static pid_t launch(char **args, const int *said)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (said) {
		/* Both ends, or the one in the background keeps the reader waiting. */
		dup2(said[1], STDERR_FILENO);
		close(said[0]);
		close(said[1]);
	}
	_exit(passthrough_mount(count_args(args), args));
}

/* Until the program, or the one it left in the background, has closed its stderr. */
static struct outcome run(char **args)
{
	struct outcome out = { .status = -1 };
	size_t used = 0;
	ssize_t got;
	int said[2], status;
	pid_t pid;

	if (pipe2(said, O_CLOEXEC))
		return out;
	pid = launch(args, said);
	close(said[1]);
	while ((got = read(said[0], out.said + used, sizeof(out.said) - 1 - used)) > 0)
		used += got;
	close(said[0]);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		out.status = WEXITSTATUS(status);
	return out;
}

static bool is_mounted(const char *mnt)
{
	return mount_options_is_mounted(mnt, "fuse.passthrough_mount");
}

/* mountinfo reports every change to poll(2), see proc_pid_mountinfo(5). */
static bool wait_mounted(const char *mnt, bool wanted)
{
	struct pollfd changed = {
		.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
		.events = POLLPRI,
	};
	bool mounted = is_mounted(mnt);

	while (mounted != wanted && poll(&changed, 1, WAIT_MS) > 0)
		mounted = is_mounted(mnt);
	close(changed.fd);
	return mounted == wanted;
}

static bool is_one_line(const char *said)
{
	const char *end = strchr(said, '\n');

	return !strncmp(said, "passthrough_mount: ", 19) && end && !end[1];
}

/* --- bad input ------------------------------------------------------------- */

TEST_F(standalone, wrong_usage_is_one_line_and_status_1)
{
	char *b = self->sb.backing, *m = self->sb.mnt;
	char *wrong[][MAX_ARGS] = {
		{ "pm" },
		{ "pm", b },
		{ "pm", b, m, "third" },
		{ "pm", "-x", b, m },
		{ "pm", b, m, "-o" },
		{ "pm", "-o", "no_such_option", b, m },
		{ "pm", "-o", "no_such=1", b, m },
		{ "pm", "-o", "mode=", b, m },
		{ "pm", "-o", "mode=passthru", b, m },
		{ "pm", "-o", "mode", b, m },
		{ "pm", "-o", "attr_timeout=-1", b, m },
		{ "pm", "-o", "entry_timeout=1x", b, m },
		{ "pm", "-o", "threads=0", b, m },
		{ "pm", "-o", "threads=1000", b, m },
		{ "pm", "-o", "stack_depth=3", b, m },
		{ "pm", "-o", "ro=1", b, m },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct outcome out = run(wrong[i]);

		EXPECT_EQ(1, out.status)
			TH_LOG("row %zu: %s", i, out.said);
		EXPECT_TRUE(is_one_line(out.said))
			TH_LOG("row %zu: %s", i, out.said);
		EXPECT_FALSE(is_mounted(m));
	}
}

TEST_F(standalone, what_cannot_be_mounted_is_one_line_and_status_32)
{
	char *b = self->sb.backing, *m = self->sb.mnt;
	char file[PATH_MAX], inside[PATH_MAX];
	char *wrong[][MAX_ARGS] = {
		{ "pm", "/no/such/directory", m },
		{ "pm", b, "/no/such/directory" },
		{ "pm", file, m },
		{ "pm", b, file },
		{ "pm", b, inside },
		{ "pm", "-o", "max_read=many", b, m },
	};

	snprintf(file, sizeof(file), "%.4000s/file", b);
	snprintf(inside, sizeof(inside), "%.4000s/inside", b);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct outcome out = run(wrong[i]);

		EXPECT_EQ(32, out.status)
			TH_LOG("row %zu: %s", i, out.said);
		EXPECT_TRUE(is_one_line(out.said))
			TH_LOG("row %zu: %s", i, out.said);
		EXPECT_FALSE(is_mounted(m));
		EXPECT_FALSE(is_mounted(inside));
	}
}

TEST_F(standalone, a_second_mount_is_refused)
{
	char **args = ARGS(self->sb.backing, self->sb.mnt, "-o", "mode=cached");
	struct outcome out = run(args);

	ASSERT_EQ(0, out.status)
		TH_LOG("%s", out.said);
	out = run(args);
	EXPECT_EQ(32, out.status);
	EXPECT_TRUE(is_one_line(out.said));
	EXPECT_EQ(0, umount(self->sb.mnt));
	EXPECT_FALSE(is_mounted(self->sb.mnt));
}

/* --- mounted ---------------------------------------------------------------- */

/* Bytes to and from a new file through the mount. */
static bool works(const struct sandbox *sb)
{
	char path[PATH_MAX], seen[6] = "";
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%.4000s/new", sb->backing);
	unlink(path);
	snprintf(path, sizeof(path), "%.4000s/new", sb->mnt);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	good = pwrite(fd, "bytes", 5, 0) == 5 && pread(fd, seen, 5, 0) == 5;
	close(fd);
	if (!good || strcmp(seen, "bytes"))
		return false;

	snprintf(path, sizeof(path), "%.4000s/new", sb->backing);
	memset(seen, 0, sizeof(seen));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	good = fd >= 0 && read(fd, seen, 5) == 5 && !strcmp(seen, "bytes");
	close(fd);
	return good;
}

static void read_stats(const char *path, char *stats, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, stats, len - 1);

	stats[got < 0 ? 0 : got] = '\0';
	if (fd >= 0)
		close(fd);
}

TEST_F(standalone, every_mode_mounts_and_counts)
{
	static const struct {
		char *option;
		bool passthrough;
		bool writes;
	} modes[] = {
		{ "mode=passthrough", true, false },
		{ "mode=passthrough+direct", true, true },
		{ "mode=passthrough|direct,noxattr", true, true },
		{ "mode=cached,attr_timeout=0,entry_timeout=0.5", false, true },
		{ "mode=keep_cache,threads=1", false, true },
		{ "mode=direct,nodev,nosuid,noexec,x-comment", false, true },
		{ "mode=direct+parallel,allow_other,default_permissions", false, true },
	};
	char **args = ARGS(self->sb.backing, self->sb.mnt, "-f", "-o", self->stats_option,
			   "-o", NULL);

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		char stats[1024];
		int status;
		pid_t pid;

		args[7] = modes[i].option;
		if (modes[i].passthrough && !self->has_passthrough) {
			struct outcome out = run(args);

			EXPECT_EQ(32, out.status);
			EXPECT_TRUE(is_one_line(out.said));
			EXPECT_FALSE(is_mounted(self->sb.mnt));
			continue;
		}
		pid = launch(args, NULL);
		ASSERT_TRUE(wait_mounted(self->sb.mnt, true))
			TH_LOG("%s", modes[i].option);
		EXPECT_TRUE(works(&self->sb))
			TH_LOG("%s", modes[i].option);
		ASSERT_EQ(0, umount(self->sb.mnt));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);

		read_stats(self->stats, stats, sizeof(stats));
		EXPECT_NE(NULL, strstr(stats, " CREATE 1"))
			TH_LOG("%s: %s", modes[i].option, stats);
		EXPECT_EQ(modes[i].writes, !!strstr(stats, " WRITE 1"))
			TH_LOG("%s: %s", modes[i].option, stats);
		unlink(self->stats);
	}
}

TEST_F(standalone, without_xattr_writes_ask_for_none)
{
	char **args = ARGS(self->sb.backing, self->sb.mnt, "-o", "mode=cached,noxattr");
	struct outcome out = run(args);

	ASSERT_EQ(0, out.status);
	EXPECT_TRUE(works(&self->sb));
	EXPECT_EQ(-1, getxattr(self->sb.mnt, "user.x", NULL, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(0, umount(self->sb.mnt));
}

TEST_F(standalone, signals_report_and_end)
{
	char **args = ARGS("-f", "-o", "mode=cached", "-o", self->stats_option,
			   self->sb.backing, self->sb.mnt);
	char stats[1024];
	int status;
	pid_t pid = launch(args, NULL);

	ASSERT_TRUE(wait_mounted(self->sb.mnt, true));
	ASSERT_TRUE(works(&self->sb));
	EXPECT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_EQ(0, kill(pid, SIGTERM));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FALSE(is_mounted(self->sb.mnt));
	read_stats(self->stats, stats, sizeof(stats));
	EXPECT_NE(NULL, strstr(stats, " CREATE 1"));
}

/* --- the backing directory goes ------------------------------------------------- */

/* What is below it is gone with it, by name; what is open works on, and so does umount. */
TEST_F(standalone, removed_backing_directory_is_an_empty_mount)
{
	char **args = ARGS("-f", "-o", "entry_timeout=0,attr_timeout=0", "-o",
			   self->has_passthrough ? "mode=passthrough" : "mode=cached",
			   self->sb.backing, self->sb.mnt);
	char path[PATH_MAX], seen[6] = "";
	int fd, status;
	pid_t pid;

	pid = launch(args, NULL);
	ASSERT_TRUE(wait_mounted(self->sb.mnt, true));
	ASSERT_TRUE(works(&self->sb));
	snprintf(path, sizeof(path), "%.4000s/new", self->sb.mnt);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (const char *const *name = (const char *const []) { "new", "file", "inside", "", NULL };
	     *name; name++) {
		snprintf(path, sizeof(path), "%.4000s/%s", self->sb.backing, *name);
		EXPECT_EQ(0, remove(path))
			TH_LOG("%s: %s", path, strerror(errno));
	}

	EXPECT_EQ(5, pread(fd, seen, 5, 0));
	EXPECT_STREQ("bytes", seen);
	EXPECT_EQ(5, pwrite(fd, "later", 5, 0));
	close(fd);
	snprintf(path, sizeof(path), "%.4000s/new", self->sb.mnt);
	EXPECT_EQ(-1, open(path, O_RDWR));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CREAT, 0600));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(0, umount(self->sb.mnt));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* For the teardown, as it was. */
	EXPECT_EQ(0, mkdir(self->sb.backing, 0755));
}

/* --- killed -------------------------------------------------------------------- */

/*
 * Bytes stored through a map are in the backing file whatever becomes of the
 * server, and the map goes on working without it.
 */
TEST_F(standalone, a_map_survives_the_killed_server)
{
	char **args = ARGS("-f", self->sb.backing, self->sb.mnt);
	char path[PATH_MAX], seen[8] = "";
	int fd, beside;
	char *map;
	pid_t pid;

	if (!self->has_passthrough)
		SKIP(return, "kernel without FUSE passthrough");
	pid = launch(args, NULL);
	ASSERT_TRUE(wait_mounted(self->sb.mnt, true));
	snprintf(path, sizeof(path), "%.4000s/file", self->sb.mnt);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 8192));
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	memcpy(map, "before", 6);

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	memcpy(map + 4096, "after", 5);
	EXPECT_EQ(-1, open(path, O_RDONLY));
	EXPECT_EQ(ENOTCONN, errno);
	snprintf(path, sizeof(path), "%.4000s/file", self->sb.backing);
	beside = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(6, pread(beside, seen, 6, 0));
	EXPECT_STREQ("before", seen);
	memset(seen, 0, sizeof(seen));
	EXPECT_EQ(5, pread(beside, seen, 5, 4096));
	EXPECT_STREQ("after", seen);
	munmap(map, 8192);
	close(beside);
	close(fd);

	/* The dead mount is in the way of the next one, and the message says of what kind. */
	struct outcome out = run(args);

	EXPECT_EQ(32, out.status);
	EXPECT_TRUE(is_one_line(out.said));
	EXPECT_NE(NULL, strstr(out.said, "umount"));
}

TEST_F(standalone, auto_unmount_leaves_no_dead_mount)
{
	char **args = ARGS("-f", "-o", "mode=cached,auto_unmount", self->sb.backing,
			   self->sb.mnt);
	pid_t pid = launch(args, NULL);

	ASSERT_TRUE(wait_mounted(self->sb.mnt, true));
	ASSERT_TRUE(works(&self->sb));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(wait_mounted(self->sb.mnt, false));
}

SUITE_MAIN_ANY()
