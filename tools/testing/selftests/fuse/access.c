// SPDX-License-Identifier: GPL-2.0
/*
 * Who may map what: the access rules of mmap(2) and mprotect(2) on a file
 * opened in passthrough mode. The mapping is of another file than the one that
 * was opened, so both have a say: the FUSE file its open mode and its mount,
 * the backing file its mount and its seals.
 *
 * The M ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi.h"
#include "fault.h"
#include "suite.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010	/* Linux 5.1 */
#endif

#define R	PROT_READ
#define W	PROT_WRITE
#define X	PROT_EXEC

FIXTURE(access)
{
	struct sandbox sb;
	struct report_case report;
	char path[PATH_MAX];		/* through FUSE */
	char backing[PATH_MAX];
	size_t page;
	unsigned int rows;
};

BACKING_VARIANTS(access);

static const struct server_options passthrough = {
	.mode = SERVER_PASSTHROUGH,
	.attr_timeout = LONG_TIMEOUT,
	.entry_timeout = LONG_TIMEOUT,
};

FIXTURE_SETUP(access)
{
	int fd;

	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs, .server = passthrough,
	}));
	self->report = suite_case(_metadata, variant->fs, &self->sb);
	self->page = sysconf(_SC_PAGESIZE);
	snprintf(self->path, sizeof(self->path), "%.4000s/file", self->sb.mnt);
	snprintf(self->backing, sizeof(self->backing), "%.4000s/file", self->sb.backing);
	fd = open(self->backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, self->page));
	ASSERT_EQ(1, pwrite(fd, "F", 1, 0));
	close(fd);
}

FIXTURE_TEARDOWN(access)
{
	sandbox_destroy(&self->sb);
}

/* 0 or errno. */
static int try_mmap(int fd, size_t len, int prot, int flags, char **map)
{
	*map = mmap(NULL, len, prot, flags, fd, 0);
	return *map == MAP_FAILED ? errno : 0;
}

static int try_mprotect(char *map, size_t len, int prot)
{
	return mprotect(map, len, prot) ? errno : 0;
}

static const char *prot_name(int prot)
{
	static const char *const names[] = { "none", "r", "w", "rw", "x", "rx", "wx", "rwx" };

	return names[prot & (R | W | X)];
}

struct rule {
	const char *name;
	int open_flags;
	int prot, flags;	/* mmap(2) */
	int error;
};

/* The rules of mmap(2), section ERRORS. */
static const struct rule rules[] = {
	{ "rdonly-shared-r",	O_RDONLY,	R,	MAP_SHARED,	0 },
	{ "rdonly-shared-rw",	O_RDONLY,	R | W,	MAP_SHARED,	EACCES },
	{ "rdonly-shared-w",	O_RDONLY,	W,	MAP_SHARED,	EACCES },
	{ "rdonly-shared-rx",	O_RDONLY,	R | X,	MAP_SHARED,	0 },
	{ "rdonly-private-rw",	O_RDONLY,	R | W,	MAP_PRIVATE,	0 },
	{ "rdonly-private-rwx",	O_RDONLY, R | W | X,	MAP_PRIVATE,	0 },
	{ "wronly-shared-r",	O_WRONLY,	R,	MAP_SHARED,	EACCES },
	{ "wronly-shared-w",	O_WRONLY,	W,	MAP_SHARED,	EACCES },
	{ "wronly-shared-none",	O_WRONLY,	0,	MAP_SHARED,	EACCES },
	{ "wronly-private-r",	O_WRONLY,	R,	MAP_PRIVATE,	EACCES },
	{ "rdwr-shared-rw",	O_RDWR,		R | W,	MAP_SHARED,	0 },
	{ "rdwr-shared-rwx",	O_RDWR,	R | W | X,	MAP_SHARED,	0 },
	{ "rdwr-private-rw",	O_RDWR,		R | W,	MAP_PRIVATE,	0 },
	{ "append-shared-rw", O_RDWR | O_APPEND, R | W,	MAP_SHARED,	0 },
	{ "path-shared-r",	O_PATH,		R,	MAP_SHARED,	EBADF },
	{ "validate-shared-rw",	O_RDWR,		R | W,	MAP_SHARED_VALIDATE, 0 },
	/* Only files that are memory, DAX, can do without msync(2). */
	{ "map-sync",		O_RDWR,		R | W,	MAP_SHARED_VALIDATE | MAP_SYNC,
	  EOPNOTSUPP },
};

static void expect_rule(struct __test_metadata *_metadata, const struct report_case *report,
			const char *path, const struct rule *rule)
{
	int fd = open(path, rule->open_flags | O_CLOEXEC), err;
	size_t len = sysconf(_SC_PAGESIZE);
	char *map, byte;

	ASSERT_LE(0, fd);
	err = try_mmap(fd, len, rule->prot, rule->flags, &map);
	EXPECT_EQ(rule->error, err) {
		report_line("ACCESS: mmap case %s: \"%s\", expected \"%s\"", rule->name,
			    strerror(err), strerror(rule->error));
		report_rerun(report);
	}
	if (!err) {
		/* What is mapped is the backing file: the server is not asked for a page. */
		if (rule->prot & R)
			EXPECT_EQ(0, fault_copy(&byte, map, 1, NULL));
		munmap(map, len);
	}
	close(fd);
}

/* M4 */
TEST_F(access, mmap_keeps_the_rules_of_the_open_mode)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		if (!report_select(&self->report, "%s", rules[i].name))
			continue;
		expect_rule(_metadata, &self->report, self->path, &rules[i]);
		self->rows++;
	}
	EXPECT_NE(0U, self->rows);
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
}

static const struct upgrade {
	const char *name;
	int open_flags;
	int prot, flags;	/* mmap(2) */
	int next;		/* mprotect(2) */
	int error;
	int signo;		/* of a store afterwards */
} upgrades[] = {
	{ "rdonly-shared-to-rw",  O_RDONLY, R,	   MAP_SHARED,	R | W,	EACCES,	SIGSEGV },
	{ "rdonly-private-to-rw", O_RDONLY, R,	   MAP_PRIVATE,	R | W,	0,	0 },
	{ "rdonly-shared-to-rx",  O_RDONLY, R,	   MAP_SHARED,	R | X,	0,	SIGSEGV },
	{ "rdwr-shared-to-rw",	  O_RDWR,   R,	   MAP_SHARED,	R | W,	0,	0 },
	{ "rdwr-shared-none-to-rw", O_RDWR, 0,	   MAP_SHARED,	R | W,	0,	0 },
	{ "rdwr-shared-to-r",	  O_RDWR,   R | W, MAP_SHARED,	R,	0,	SIGSEGV },
	{ "rdwr-shared-to-none",  O_RDWR,   R | W, MAP_SHARED,	0,	0,	SIGSEGV },
	{ "rdwr-shared-to-rwx",	  O_RDWR,   R,	   MAP_SHARED,	R | W | X, 0,	0 },
};

/* M4: and a store does what the protection says. */
TEST_F(access, mprotect_keeps_the_rules_of_the_open_mode)
{
	const struct upgrade *u;
	struct fault fault;
	char *map;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(upgrades); i++) {
		u = &upgrades[i];
		if (!report_select(&self->report, "%s", u->name))
			continue;
		fd = open(self->path, u->open_flags | O_CLOEXEC);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, try_mmap(fd, self->page, u->prot, u->flags, &map));
		close(fd);
		EXPECT_EQ(u->error, try_mprotect(map, self->page, u->next)) {
			TH_LOG("mprotect to %s, case %s", prot_name(u->next), u->name);
			report_rerun(&self->report);
		}
		fault_copy(map, "S", 1, &fault);
		EXPECT_EQ(u->signo, fault.signo) {
			TH_LOG("store after mprotect to %s, case %s", prot_name(u->next), u->name);
			report_rerun(&self->report);
		}
		if (fault.signo) {
			EXPECT_EQ(SEGV_ACCERR, fault.code);
			EXPECT_EQ((void *)map, fault.addr);
		}
		munmap(map, self->page);
		self->rows++;
	}
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	EXPECT_NE(0U, self->rows);
}

/* M4: the FUSE mount says noexec: mmap(2) EPERM, mprotect(2) EACCES. */
TEST_F(access, noexec_mount_maps_nothing_executable)
{
	struct server_options opt = passthrough;
	char *map;
	int fd;

	opt.mode = suite_mode(opt.mode);
	opt.mount_flags = MS_NOEXEC;
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
		TH_LOG("remount: %s", self->sb.why);
	}
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, try_mmap(fd, self->page, R | X, MAP_SHARED, &map));
	EXPECT_EQ(EPERM, try_mmap(fd, self->page, R | X, MAP_PRIVATE, &map));
	ASSERT_EQ(0, try_mmap(fd, self->page, R | W, MAP_SHARED, &map));
	EXPECT_EQ(EACCES, try_mprotect(map, self->page, R | X));
	EXPECT_EQ(0, fault_copy(map, "S", 1, NULL));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	munmap(map, self->page);
	close(fd);
}

/* M4: the FUSE mount is read-only; the backing file is not. */
TEST_F(access, read_only_mount_maps_nothing_writable)
{
	struct server_options opt = passthrough;
	char *map, seen = 0;
	int fd;

	opt.mode = suite_mode(opt.mode);
	opt.mount_flags = MS_RDONLY;
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
		TH_LOG("remount: %s", self->sb.why);
	}
	EXPECT_EQ(-1, open(self->path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(EROFS, errno);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EACCES, try_mmap(fd, self->page, R | W, MAP_SHARED, &map));
	ASSERT_EQ(0, try_mmap(fd, self->page, R, MAP_SHARED, &map));
	EXPECT_EQ(EACCES, try_mprotect(map, self->page, R | W));
	EXPECT_EQ(0, fault_copy(&seen, map, 1, NULL));
	EXPECT_EQ('F', seen);
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	munmap(map, self->page);
	close(fd);
}

/* --- a backing file with limits of its own ---------------------------------- */

/* Let opens of the file pass through to what @fd is. Its id, to be closed. */
static int32_t back_by(struct __test_metadata *_metadata, struct sandbox *sb, int fd)
{
	int32_t id;

	if (server_abi(sb->server) != SERVER_ABI_MAINLINE)
		return 0;
	id = server_backing_open(sb->server, fd);
	ASSERT_LT(0, id);
	server_set_open_reply(sb->server, FOPEN_PASSTHROUGH, id);
	return id;
}

/* M4: a writable open needs a backing file that can be opened for writing. */
TEST_F(access, read_only_backing_mount_takes_no_writer)
{
	char dir[PATH_MAX], file[PATH_MAX], seen = 0, *map;
	int fd;

	snprintf(dir, sizeof(dir), "%.4000s/read-only", self->sb.dir);
	ASSERT_EQ(0, mkdir(dir, 0755));
	ASSERT_EQ(0, mount(self->sb.backing, dir, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	snprintf(file, sizeof(file), "%.4000s/file", dir);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	if (!back_by(_metadata, &self->sb, fd))
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	close(fd);

	EXPECT_EQ(-1, open(self->path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, open(self->path, O_WRONLY | O_CLOEXEC));
	EXPECT_EQ(EIO, errno);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, pread(fd, &seen, 1, 0));
	EXPECT_EQ('F', seen);
	ASSERT_EQ(0, try_mmap(fd, self->page, R, MAP_SHARED, &map));
	EXPECT_EQ(0, fault_copy(&seen, map, 1, NULL));
	EXPECT_EQ(EACCES, try_mprotect(map, self->page, R | W));
	munmap(map, self->page);
	close(fd);
}

/*
 * M4: what the backing file cannot do, the mapping cannot. Files of sysfs are
 * regular, and their mmap says no.
 */
TEST_F(access, refusal_of_the_backing_file_is_passed_on)
{
	static const char unmappable[] = "/sys/kernel/uevent_seqnum";
	int fd = open(unmappable, O_RDONLY | O_CLOEXEC), err;
	char *map;

	if (fd < 0)
		SKIP(return, "no %s: %s", unmappable, strerror(errno));
	err = try_mmap(fd, self->page, R, MAP_SHARED, &map);
	ASSERT_NE(0, err);
	if (!back_by(_metadata, &self->sb, fd))
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	close(fd);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(err, try_mmap(fd, self->page, R, MAP_SHARED, &map));
	EXPECT_EQ(err, try_mmap(fd, self->page, R, MAP_PRIVATE, &map));
	close(fd);
}

/* Some user who is not root. */
#define USER	1000

/* In a child: map, which is refused, then open what only root may. 0 or errno of the latter. */
static int open_after_refusal(const struct sandbox *sb, int fd, size_t page, const char *secret)
{
	char *map;
	int other;

	close(server_device(sb->server));
	if (setresuid(USER, USER, USER))
		return EBADMSG;
	try_mmap(fd, page, R, MAP_SHARED, &map);
	try_mmap(fd, page, R, MAP_PRIVATE, &map);
	other = open(secret, O_RDONLY | O_CLOEXEC);
	return other < 0 ? errno : 0;
}

/* P1: a user whose mapping the backing file refused is himself again. */
TEST_F(access, user_is_himself_after_a_refused_mapping)
{
	static const char unmappable[] = "/sys/kernel/uevent_seqnum";
	int fd = open(unmappable, O_RDONLY | O_CLOEXEC), status;
	pid_t pid;

	if (fd < 0)
		SKIP(return, "no %s: %s", unmappable, strerror(errno));
	if (!back_by(_metadata, &self->sb, fd))
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	close(fd);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, chmod(self->backing, 0600));
	pid = fork();
	if (!pid)
		_exit(open_after_refusal(&self->sb, fd, self->page, self->backing));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EACCES, WEXITSTATUS(status)) {
		TH_LOG("after a refused mmap(2) the user opens what is root's: %s",
		       strerror(WEXITSTATUS(status)));
	}
	close(fd);
}

/* A memfd with @seals of fcntl(2) that holds one page beginning with 'M'. */
static int sealed_memfd(struct __test_metadata *_metadata, size_t page, int seals)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, page));
	ASSERT_EQ(1, pwrite(fd, "M", 1, 0));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, seals));
	return fd;
}

static const struct seal {
	const char *name;
	int seals;
} seals[] = {
	{ "seal-write",		F_SEAL_WRITE },
	{ "seal-future-write",	F_SEAL_FUTURE_WRITE },
};

/* M4: seals, fcntl(2): no write(2), and no shared mapping that could be stored to. */
static bool seal_holds(struct __test_metadata *_metadata, struct sandbox *sb, const char *path,
		       size_t page, const struct seal *seal)
{
	int memfd = sealed_memfd(_metadata, page, seal->seals), fd;
	char seen = 0, *map;
	bool holds = true;
	int32_t id;

	id = back_by(_metadata, sb, memfd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd) {
		TH_LOG("%s: %s", seal->name, strerror(errno));
	}
	EXPECT_EQ(-1, pwrite(fd, "x", 1, 0));
	EXPECT_EQ(EPERM, errno);

	if (!try_mmap(fd, page, R | W, MAP_SHARED, &map)) {
		holds = fault_copy(map, "x", 1, NULL);
		munmap(map, page);
	}
	ASSERT_EQ(0, try_mmap(fd, page, R, MAP_SHARED, &map));
	if (!try_mprotect(map, page, R | W))
		holds &= !!fault_copy(map, "y", 1, NULL);
	munmap(map, page);
	EXPECT_EQ(1, pread(memfd, &seen, 1, 0));
	EXPECT_EQ(holds, seen == 'M');
	if (!holds && deviation_strict())
		report_line("ACCESS: %s: stored through a mapping: '%c' is now '%c'",
			    seal->name, 'M', seen);
	close(fd);
	close(memfd);
	server_backing_close(sb->server, id);
	return holds;
}

/* M4, known deviation D10 */
TEST_F(access, sealed_backing_file_is_not_stored_to)
{
	bool holds = true;
	size_t i;

	if (server_abi(self->sb.server) != SERVER_ABI_MAINLINE)
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	for (i = 0; i < ARRAY_SIZE(seals); i++)
		holds &= seal_holds(_metadata, &self->sb, self->path, self->page, &seals[i]);
	suite_deviation(_metadata, "D10", holds);
}

/* M4: a mapping through FUSE counts as one of the backing file: no seal under it. */
TEST_F(access, mapped_backing_file_is_not_sealed)
{
	int memfd = sealed_memfd(_metadata, self->page, 0), fd;
	char *map;

	if (!back_by(_metadata, &self->sb, memfd))
		SKIP(return, "this passthrough ABI takes ids of the server's open only");
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, try_mmap(fd, self->page, R | W, MAP_SHARED, &map));
	EXPECT_EQ(-1, fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, fault_copy(map, "x", 1, NULL));
	munmap(map, self->page);
	EXPECT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE));
	close(fd);
	close(memfd);
}

SUITE_MAIN()
