// SPDX-License-Identifier: GPL-2.0
/*
 * Registering backing files and negotiating passthrough.
 *
 * Which file a server may register, which INIT replies switch passthrough on,
 * and what becomes of an id when names, descriptors and connections change; see
 * fuse-passthrough.rst. One fault at a time: the order of the kernel's checks is
 * not ABI. The R ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "abi.h"
#include "suite.h"

#define NOBODY		65534
#define CONTENT		"content of the backing file"

FIXTURE(registration)
{
	struct sandbox sb;
};

FIXTURE_VARIANT(registration)
{
	const char *fs;
};

/* The file system matters only by how much is stacked below it. */
FIXTURE_VARIANT_ADD(registration, tmpfs) { .fs = "tmpfs" };
FIXTURE_VARIANT_ADD(registration, overlayfs) { .fs = "overlayfs" };

FIXTURE_SETUP(registration)
{
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = { .mode = SERVER_PASSTHROUGH },
	}));
	/* V12 has other rules and no way to close an id. */
	if (server_abi(self->sb.server) == SERVER_ABI_V12)
		SKIP(return, "the passthrough ABI of 2021 has no BACKING_CLOSE");
}

FIXTURE_TEARDOWN(registration)
{
	sandbox_destroy(&self->sb);
}

/* What does not depend on the file system below. */
FIXTURE(negotiation)
{
	struct sandbox sb;
};

FIXTURE_SETUP(negotiation)
{
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = "tmpfs",
		.server = { .mode = SERVER_PASSTHROUGH },
	}));
	if (server_abi(self->sb.server) == SERVER_ABI_V12)
		SKIP(return, "the passthrough ABI of 2021 negotiates otherwise");
}

FIXTURE_TEARDOWN(negotiation)
{
	sandbox_destroy(&self->sb);
}

/* Open @name below the backing directory. Descriptor or -errno. */
static int open_backing(const struct sandbox *sb, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%.4000s/%s", sb->backing, name);
	fd = open(path, flags | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

static int open_fuse(const struct sandbox *sb, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%.4000s/%s", sb->mnt, name);
	fd = open(path, flags | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

/* A regular file with known content. */
static int make_file(const struct sandbox *sb, const char *name)
{
	int fd = open_backing(sb, name, O_RDWR | O_CREAT | O_TRUNC);

	if (fd >= 0 && write(fd, CONTENT, sizeof(CONTENT)) != sizeof(CONTENT)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Does reading @name through FUSE come from the file under the connection? */
static bool reads_content(const struct sandbox *sb, const char *name)
{
	char buf[sizeof(CONTENT)] = "";
	int fd = open_fuse(sb, name, O_RDONLY);
	bool same;

	if (fd < 0)
		return false;
	same = read(fd, buf, sizeof(buf)) == sizeof(buf) && !strcmp(buf, CONTENT);
	close(fd);
	return same;
}

/* --- R1: what may be registered -------------------------------------------- */

static int open_regular(const struct sandbox *sb)
{
	return open_backing(sb, "file", O_RDWR);
}

static int open_read_only(const struct sandbox *sb)
{
	return open_backing(sb, "file", O_RDONLY);
}

static int open_path(const struct sandbox *sb)
{
	return open_backing(sb, "file", O_PATH);
}

static int open_directory(const struct sandbox *sb)
{
	return open_backing(sb, ".", O_RDONLY | O_DIRECTORY);
}

static int open_fifo(const struct sandbox *sb)
{
	return open_backing(sb, "fifo", O_RDWR);
}

static int open_symlink(const struct sandbox *sb)
{
	return open_backing(sb, "symlink", O_PATH | O_NOFOLLOW);
}

static int open_device(const struct sandbox *sb)
{
	(void)sb;
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int open_socket(const struct sandbox *sb)
{
	(void)sb;
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* A number nothing is open at. */
static int open_nothing(const struct sandbox *sb)
{
	(void)sb;
	return 1 << 20;
}

/* A file of this very mount: FUSE over FUSE adds one more level. */
static int open_through_fuse(const struct sandbox *sb)
{
	return open_fuse(sb, "file", O_RDWR);
}

static const struct candidate {
	const char *name;
	int (*open)(const struct sandbox *sb);
	int error;		/* of BACKING_OPEN; 0: an id */
} candidates[] = {
	{ "regular file",		open_regular,		0 },
	{ "read-only descriptor",	open_read_only,		0 },
	{ "O_PATH descriptor",		open_path,		0 },
	{ "directory",			open_directory,		EISDIR },
	{ "fifo",			open_fifo,		EINVAL },
	{ "symbolic link",		open_symlink,		EINVAL },
	{ "character device",		open_device,		EINVAL },
	{ "socket",			open_socket,		EINVAL },
	{ "no file",			open_nothing,		EBADF },
	{ "file of the same mount",	open_through_fuse,	ELOOP },
};

/* R1: regular files below the depth limit, by any descriptor; exact errors for the rest. */
TEST_F(registration, accepts_regular_files_only)
{
	const struct candidate *c;
	char path[PATH_MAX];
	int fd, id;
	size_t i;

	close(make_file(&self->sb, "file"));
	snprintf(path, sizeof(path), "%.4000s/fifo", self->sb.backing);
	ASSERT_EQ(0, mkfifo(path, 0600));
	snprintf(path, sizeof(path), "%.4000s/symlink", self->sb.backing);
	ASSERT_EQ(0, symlink("file", path));

	for (i = 0; i < ARRAY_SIZE(candidates); i++) {
		c = &candidates[i];
		fd = c->open(&self->sb);
		ASSERT_LE(0, fd) {
			TH_LOG("%s: %s", c->name, strerror(-fd));
		}
		id = server_backing_open(self->sb.server, fd);
		if (c->error) {
			EXPECT_EQ(-c->error, id) {
				TH_LOG("registering a %s", c->name);
			}
		} else {
			EXPECT_LT(0, id) {
				TH_LOG("registering a %s: %s", c->name, strerror(-id));
			}
		}
		if (id > 0)
			EXPECT_EQ(0, server_backing_close(self->sb.server, id));
		close(fd);
	}
}

/* R1: fields reserved for later must be zero (6.9: padding, too). */
TEST_F(registration, refuses_reserved_fields)
{
	struct abi_backing_map map = { .flags = 0 };
	int device = server_device(self->sb.server);

	map.fd = make_file(&self->sb, "file");
	ASSERT_LE(0, map.fd);
	map.flags = 1;
	EXPECT_EQ(-1, ioctl(device, ABI_BACKING_OPEN, &map));
	EXPECT_EQ(EINVAL, errno);
	map.flags = 0;
	map.padding = 1;
	EXPECT_EQ(-1, ioctl(device, ABI_BACKING_OPEN, &map));
	EXPECT_EQ(EINVAL, errno);
	close(map.fd);
}

/* R1: ids that are none, unknown, or closed before. */
TEST_F(registration, closes_known_ids_once)
{
	int fd = make_file(&self->sb, "file");
	int id;

	ASSERT_LE(0, fd);
	id = server_backing_open(self->sb.server, fd);
	ASSERT_LT(0, id);
	EXPECT_EQ(-EINVAL, server_backing_close(self->sb.server, 0));
	EXPECT_EQ(-EINVAL, server_backing_close(self->sb.server, -1));
	EXPECT_EQ(-ENOENT, server_backing_close(self->sb.server, id + 1000));
	EXPECT_EQ(0, server_backing_close(self->sb.server, id));
	EXPECT_EQ(-ENOENT, server_backing_close(self->sb.server, id));
	close(fd);
}

static int drop_to_nobody(void)
{
	return setresuid(NOBODY, NOBODY, NOBODY) ? -errno : 0;
}

/* Root of its own user namespace has every capability there, none here. */
static int enter_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) ? -errno : 0;
}

/* Exit codes of the child: an errno, or one of these */
#define CHILD_COULD_NOT		253
#define CHILD_SUCCEEDED		254

static void register_unprivileged(struct sandbox *sb, int (*drop)(void), int fd, int id)
{
	int ret;

	if (drop())
		_exit(CHILD_COULD_NOT);
	ret = id ? server_backing_close(sb->server, id) : server_backing_open(sb->server, fd);
	_exit(ret < 0 ? -ret : CHILD_SUCCEEDED);
}

/* R1: CAP_SYS_ADMIN in the initial user namespace, for registering and for closing. */
TEST_F(registration, needs_cap_sys_admin)
{
	static const struct {
		const char *name;
		int (*drop)(void);
	} who[] = {
		{ "nobody", drop_to_nobody },
		{ "root of a user namespace", enter_user_namespace },
	};
	int fd = make_file(&self->sb, "file");
	int id, status, closing;
	size_t i;
	pid_t pid;

	ASSERT_LE(0, fd);
	id = server_backing_open(self->sb.server, fd);
	ASSERT_LT(0, id);
	for (i = 0; i < ARRAY_SIZE(who); i++) {
		for (closing = 0; closing < 2; closing++) {
			pid = fork();
			if (!pid)
				register_unprivileged(&self->sb, who[i].drop, fd, closing ? id : 0);
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
			ASSERT_TRUE(WIFEXITED(status));
			if (WEXITSTATUS(status) == CHILD_COULD_NOT) {
				TH_LOG("cannot become %s here", who[i].name);
				continue;
			}
			EXPECT_EQ(EPERM, WEXITSTATUS(status)) {
				TH_LOG("%s by %s", closing ? "closing" : "registering",
				       who[i].name);
			}
		}
	}
	EXPECT_EQ(0, server_backing_close(self->sb.server, id));
	close(fd);
}

/* --- R2: what INIT replies switch it on -------------------------------------- */

static const struct negotiation {
	const char *name;
	struct server_options options;
	bool works;
} negotiations[] = {
	{ "depth 1",		{ .stack_depth = 1 },				true },
	{ "depth 2",		{ .stack_depth = 2 },				true },
	{ "depth 0",		{ .stack_depth = SERVER_STACK_DEPTH_NONE },	false },
	{ "depth 3",		{ .stack_depth = 3 },				false },
	{ "flag not set",	{ .init_clear = FUSE_PASSTHROUGH },		false },
	{ "no INIT_EXT",	{ .init_clear = FUSE_INIT_EXT },		false },
	{ "writeback cache",	{ .init_set = FUSE_WRITEBACK_CACHE },		false },
};

/* R2: a reply the kernel does not take leaves a mount that works, without passthrough. */
TEST_F(negotiation, needs_a_sound_init_reply)
{
	const struct negotiation *n;
	struct server_options opt;
	int fd, id, expected;
	size_t i;

	fd = make_file(&self->sb, "file");
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(negotiations); i++) {
		n = &negotiations[i];
		opt = n->options;
		opt.mode = SERVER_CACHED;
		ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
			TH_LOG("%s: %s", n->name, self->sb.why);
		}
		id = server_backing_open(self->sb.server, fd);
		expected = n->works ? 1 : -EPERM;
		EXPECT_EQ(expected, id > 0 ? 1 : id) {
			TH_LOG("INIT reply with %s: registering gave %d", n->name, id);
		}
		EXPECT_TRUE(reads_content(&self->sb, "file")) {
			TH_LOG("INIT reply with %s: the mount itself does not work", n->name);
		}
		if (n->works)
			continue;
		EXPECT_EQ(-EPERM, server_backing_close(self->sb.server, 1)) {
			TH_LOG("INIT reply with %s: an id was closed", n->name);
		}
		server_set_open_reply(self->sb.server, FOPEN_PASSTHROUGH, 1);
		EXPECT_EQ(-EIO, open_fuse(&self->sb, "file", O_RDONLY)) {
			TH_LOG("INIT reply with %s: opened in passthrough mode", n->name);
		}
	}
	close(fd);
}

/* R2: the backing file system's depth must be below the one negotiated. */
TEST_F(registration, limits_what_lies_below)
{
	const bool stacked = !strcmp(variant->fs, "overlayfs");
	struct server_options opt = { .mode = SERVER_CACHED };
	unsigned int depth;
	int fd, id;

	fd = make_file(&self->sb, "file");
	ASSERT_LE(0, fd);
	for (depth = 1; depth <= 2; depth++) {
		opt.stack_depth = depth;
		ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt));
		id = server_backing_open(self->sb.server, fd);
		EXPECT_EQ(stacked && depth == 1 ? -ELOOP : 1, id > 0 ? 1 : id) {
			TH_LOG("%s below FUSE of depth %u", variant->fs, depth);
		}
	}
	close(fd);
}

/* R2: and FUSE of that depth counts for what is stacked above: two levels in all. */
TEST_F(negotiation, limits_what_lies_above)
{
	struct server_options opt = { .mode = SERVER_PASSTHROUGH };
	char upper[PATH_MAX], work[PATH_MAX], merged[PATH_MAX], data[4 * PATH_MAX];
	unsigned int depth;
	int ret;

	close(make_file(&self->sb, "file"));
	snprintf(upper, sizeof(upper), "%.4000s/above-upper", self->sb.dir);
	snprintf(work, sizeof(work), "%.4000s/above-work", self->sb.dir);
	snprintf(merged, sizeof(merged), "%.4000s/above", self->sb.dir);
	ASSERT_EQ(0, mkdir(upper, 0700) || mkdir(work, 0700) || mkdir(merged, 0700));
	snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s,workdir=%s", self->sb.mnt, upper,
		 work);

	for (depth = 1; depth <= 2; depth++) {
		opt.stack_depth = depth;
		ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt));
		ret = mount("overlay", merged, "overlay", 0, data) ? -errno : 0;
		if (ret == -ENODEV)
			SKIP(return, "no overlayfs: CONFIG_OVERLAY_FS");
		EXPECT_EQ(depth == 1 ? 0 : -EINVAL, ret) {
			TH_LOG("overlayfs above FUSE of depth %u", depth);
		}
		if (!ret)
			ASSERT_EQ(0, umount2(merged, MNT_DETACH));
	}
}

/* --- R3: what an id survives -------------------------------------------------- */

/* R3: the id holds the file, not the descriptor and not the name. */
TEST_F(registration, survives_descriptor_and_name)
{
	char path[PATH_MAX], old[PATH_MAX], buf[sizeof(CONTENT)] = "";
	int fd, id, fuse;

	fd = make_file(&self->sb, "file");
	ASSERT_LE(0, fd);
	id = server_backing_open(self->sb.server, fd);
	ASSERT_LT(0, id);
	close(fd);
	snprintf(path, sizeof(path), "%.4000s/file", self->sb.backing);
	snprintf(old, sizeof(old), "%.4000s/old", self->sb.backing);
	ASSERT_EQ(0, rename(path, old));
	/* Another file takes the name before FUSE looks it up; the id is of the old one. */
	close(open_backing(&self->sb, "file", O_RDWR | O_CREAT));

	server_set_open_reply(self->sb.server, FOPEN_PASSTHROUGH, id);
	fuse = open_fuse(&self->sb, "file", O_RDWR);
	ASSERT_LE(0, fuse);
	EXPECT_EQ((ssize_t)sizeof(buf), read(fuse, buf, sizeof(buf)));
	EXPECT_STREQ(CONTENT, buf);
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	close(fuse);
	EXPECT_EQ(0, server_backing_close(self->sb.server, id));
}

/* R1: an id registered through a read-only descriptor backs a writable open. */
TEST_F(registration, reopens_with_the_flags_of_the_open)
{
	int fd, id, fuse;

	close(make_file(&self->sb, "file"));
	fd = open_backing(&self->sb, "file", O_RDONLY);
	ASSERT_LE(0, fd);
	id = server_backing_open(self->sb.server, fd);
	ASSERT_LT(0, id);
	close(fd);
	server_set_open_reply(self->sb.server, FOPEN_PASSTHROUGH, id);
	fuse = open_fuse(&self->sb, "file", O_RDWR);
	ASSERT_LE(0, fuse);
	EXPECT_EQ(7, pwrite(fuse, "written", 7, 0));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
	close(fuse);
}

/* R1: no file has an id below one, so an open with such a one is refused. */
TEST_F(registration, ids_start_at_one)
{
	static const int32_t ids[] = { 0, -1, INT32_MIN };
	size_t i;
	int fd;

	close(make_file(&self->sb, "file"));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		server_set_open_reply(self->sb.server, FOPEN_PASSTHROUGH, ids[i]);
		fd = open_fuse(&self->sb, "file", O_RDWR);
		EXPECT_GT(0, fd) {
			TH_LOG("opened with the backing id %d", ids[i]);
			close(fd);
		}
		EXPECT_EQ(EIO, errno);
	}
}

/* R3, L2: ids are not handed out again soon, so that a late open cannot hit another file. */
TEST_F(registration, does_not_reuse_ids_at_once)
{
	const int many = 1000;
	int fd, id, last = 0, n;

	fd = make_file(&self->sb, "file");
	ASSERT_LE(0, fd);
	for (n = 0; n < many; n++) {
		id = server_backing_open(self->sb.server, fd);
		ASSERT_LT(last, id);
		last = id;
		ASSERT_EQ(0, server_backing_close(self->sb.server, id));
	}
	close(fd);
}

/* R3: many at once, each its own file. */
TEST_F(registration, keeps_many_files_apart)
{
	enum { MANY = 64 };
	int ids[MANY], fd, n, fuse;
	char name[32], byte;

	for (n = 0; n < MANY; n++) {
		snprintf(name, sizeof(name), "file%d", n);
		fd = open_backing(&self->sb, name, O_RDWR | O_CREAT);
		ASSERT_LE(0, fd);
		byte = n;
		ASSERT_EQ(1, write(fd, &byte, 1));
		ids[n] = server_backing_open(self->sb.server, fd);
		ASSERT_LT(0, ids[n]);
		close(fd);
	}
	for (n = 0; n < MANY; n++) {
		snprintf(name, sizeof(name), "file%d", n);
		server_set_open_reply(self->sb.server, FOPEN_PASSTHROUGH, ids[n]);
		fuse = open_fuse(&self->sb, name, O_RDONLY);
		ASSERT_LE(0, fuse);
		byte = -1;
		EXPECT_EQ(1, read(fuse, &byte, 1));
		EXPECT_EQ(n, byte);
		close(fuse);
		EXPECT_EQ(0, server_backing_close(self->sb.server, ids[n]));
	}
}

/* R3: an id means nothing on another connection. */
TEST_F(registration, keeps_connections_apart)
{
	struct sandbox_options opt = {
		.fs = variant->fs,
		.server = { .mode = SERVER_PASSTHROUGH },
	};
	struct sandbox other = {};
	int fd, id;

	ASSERT_EQ(SANDBOX_OK, sandbox_create(&other, &opt)) {
		TH_LOG("%s", other.why);
	}
	fd = make_file(&self->sb, "file");
	ASSERT_LE(0, fd);
	close(make_file(&other, "file"));
	id = server_backing_open(self->sb.server, fd);
	ASSERT_LT(0, id);
	server_set_open_reply(other.server, FOPEN_PASSTHROUGH, id);
	EXPECT_EQ(-EIO, open_fuse(&other, "file", O_RDONLY));
	EXPECT_EQ(-ENOENT, server_backing_close(other.server, id));
	EXPECT_EQ(0, server_backing_close(self->sb.server, id));
	close(fd);
	sandbox_destroy(&other);
}

SUITE_MAIN()
