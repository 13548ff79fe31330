// SPDX-License-Identifier: GPL-2.0
/*
 * The server as a file system: each operation is done through FUSE and judged by
 * what the backing directory holds afterwards.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "abi.h"
#include "suite.h"

FIXTURE(files)
{
	struct sandbox sb;
	struct server *srv;
	int mnt, backing;	/* the two directories */
};

BACKING_VARIANTS(files);

FIXTURE_SETUP(files)
{
	struct sandbox_options opt = {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_CACHED,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
			.mount_options = "allow_other,default_permissions",
		},
	};

	SUITE_SANDBOX(&self->sb, opt);
	self->srv = self->sb.server;
	self->mnt = open(self->sb.mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	self->backing = open(self->sb.backing, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->mnt);
	ASSERT_LE(0, self->backing);
	umask(0);
}

FIXTURE_TEARDOWN(files)
{
	close(self->mnt);
	close(self->backing);
	sandbox_destroy(&self->sb);
}

static int make_file(int dir, const char *name, const char *bytes)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd >= 0 && write(fd, bytes, strlen(bytes)) != (ssize_t)strlen(bytes))
		return -1;
	return fd;
}

/* errno of a call that ought to fail, 0 if it did not */
#define ERRNO_OF(call) ((call) < 0 ? errno : 0)

static int exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Everything of stat(2) that a copy of the backing file's attributes must show. */
#define EXPECT_SAME_ATTRIBUTES(name)						\
	do {									\
		struct stat _f, _b;						\
										\
		ASSERT_EQ(0, fstatat(self->mnt, name, &_f, AT_SYMLINK_NOFOLLOW));\
		ASSERT_EQ(0, fstatat(self->backing, name, &_b, AT_SYMLINK_NOFOLLOW));\
		EXPECT_EQ(_b.st_ino, _f.st_ino);				\
		EXPECT_EQ(_b.st_mode, _f.st_mode);				\
		EXPECT_EQ(_b.st_nlink, _f.st_nlink);				\
		EXPECT_EQ(_b.st_uid, _f.st_uid);				\
		EXPECT_EQ(_b.st_gid, _f.st_gid);				\
		EXPECT_EQ(_b.st_size, _f.st_size);				\
		EXPECT_EQ(_b.st_blocks, _f.st_blocks);				\
		EXPECT_EQ(_b.st_rdev, _f.st_rdev);				\
		EXPECT_EQ(0, memcmp(&_b.st_mtim, &_f.st_mtim, sizeof(_b.st_mtim)));\
		EXPECT_EQ(0, memcmp(&_b.st_ctim, &_f.st_ctim, sizeof(_b.st_ctim)));\
	} while (0)

/* --- names ---------------------------------------------------------------- */

TEST_F(files, names_come_and_go)
{
	char target[8] = "";
	struct stat st;

	close(make_file(self->mnt, "file", "x"));
	ASSERT_EQ(0, mkdirat(self->mnt, "dir", 01750));
	ASSERT_EQ(0, mkfifoat(self->mnt, "fifo", 0640));
	ASSERT_EQ(0, mknodat(self->mnt, "null", S_IFCHR | 0600, makedev(1, 3)));
	ASSERT_EQ(0, symlinkat("dir/x", self->mnt, "symlink"));
	ASSERT_EQ(0, linkat(self->mnt, "file", self->mnt, "dir/hard", 0));
	EXPECT_SAME_ATTRIBUTES("file");
	EXPECT_SAME_ATTRIBUTES("dir");
	EXPECT_SAME_ATTRIBUTES("fifo");
	EXPECT_SAME_ATTRIBUTES("null");
	EXPECT_SAME_ATTRIBUTES("symlink");
	EXPECT_SAME_ATTRIBUTES("dir/hard");
	EXPECT_EQ(0, fstatat(self->backing, "dir", &st, 0));
	EXPECT_EQ(S_IFDIR | 01750, st.st_mode);
	EXPECT_EQ(0, fstatat(self->backing, "null", &st, 0));
	EXPECT_EQ(makedev(1, 3), st.st_rdev);
	EXPECT_EQ(5, readlinkat(self->mnt, "symlink", target, sizeof(target)));
	EXPECT_STREQ("dir/x", target);

	EXPECT_EQ(ENOTEMPTY, ERRNO_OF(unlinkat(self->mnt, "dir", AT_REMOVEDIR)));
	EXPECT_EQ(EEXIST, ERRNO_OF(mkdirat(self->mnt, "dir", 0700)));
	EXPECT_EQ(0, unlinkat(self->mnt, "dir/hard", 0));
	EXPECT_EQ(0, unlinkat(self->mnt, "dir", AT_REMOVEDIR));
	EXPECT_EQ(0, unlinkat(self->mnt, "symlink", 0));
	EXPECT_FALSE(exists(self->backing, "dir"));
	EXPECT_FALSE(exists(self->backing, "symlink"));
	EXPECT_EQ(ENOENT, ERRNO_OF(unlinkat(self->mnt, "none", 0)));
}

TEST_F(files, rename_moves_replaces_refuses_and_exchanges)
{
	struct stat a, b, now;

	close(make_file(self->mnt, "a", "a"));
	close(make_file(self->mnt, "b", "b"));
	ASSERT_EQ(0, mkdirat(self->mnt, "dir", 0755));
	ASSERT_EQ(0, fstatat(self->backing, "a", &a, 0));
	ASSERT_EQ(0, fstatat(self->backing, "b", &b, 0));

	EXPECT_EQ(EEXIST, ERRNO_OF(renameat2(self->mnt, "a", self->mnt, "b", RENAME_NOREPLACE)));
	EXPECT_EQ(0, renameat2(self->mnt, "a", self->mnt, "b", RENAME_EXCHANGE));
	fstatat(self->backing, "a", &now, 0);
	EXPECT_EQ(b.st_ino, now.st_ino);
	EXPECT_EQ(0, renameat(self->mnt, "a", self->mnt, "dir/a"));
	EXPECT_FALSE(exists(self->backing, "a"));
	EXPECT_EQ(0, renameat(self->mnt, "dir/a", self->mnt, "b"));
	fstatat(self->backing, "b", &now, 0);
	EXPECT_EQ(b.st_ino, now.st_ino);
	EXPECT_SAME_ATTRIBUTES("b");
}

TEST_F(files, an_unlinked_open_file_lives_on)
{
	int fd = make_file(self->mnt, "file", "bytes");
	struct stat st;
	char seen[6] = "";

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlinkat(self->mnt, "file", 0));
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_EQ(3, pwrite(fd, "BYT", 3, 0));
	EXPECT_EQ(5, pread(fd, seen, 5, 0));
	EXPECT_STREQ("BYTes", seen);
	EXPECT_EQ(0, ftruncate(fd, 1));
	EXPECT_EQ(0, fchmod(fd, 0600));
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(1, st.st_size);
	close(fd);
}

/* More than fits into one reply, with names of every length. */
#define MANY 1500

static void many_name(char *name, int i)
{
	int len = snprintf(name, NAME_MAX, "%04d", i);

	memset(name + len, 'x', i % 200);
	name[len + i % 200] = '\0';
}

/* How often each file of the directory is listed; what is no such file counts at 0. */
static void count_entries(DIR *dir, unsigned char *seen)
{
	struct dirent *entry;

	memset(seen, 0, MANY + 1);
	while ((entry = readdir(dir))) {
		char expected[NAME_MAX];
		int i = atoi(entry->d_name);

		many_name(expected, i);
		if (!strcmp(entry->d_name, expected))
			seen[1 + i % MANY]++;
		else
			seen[0]++;
	}
}

TEST_F(files, a_large_directory_is_listed_exactly_once)
{
	unsigned char seen[MANY + 1];
	char name[NAME_MAX];
	DIR *dir;

	ASSERT_EQ(0, mkdirat(self->backing, "many", 0755));
	for (int i = 0; i < MANY; i++) {
		char path[NAME_MAX + 8];

		many_name(name, i);
		snprintf(path, sizeof(path), "many/%s", name);
		ASSERT_EQ(0, mknodat(self->backing, path, S_IFREG | 0644, 0));
	}
	dir = fdopendir(openat(self->mnt, "many", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	ASSERT_NE(NULL, dir);

	/* The second time from the start again, as rewinddir(3) has it. */
	for (int pass = 0; pass < 2; pass++) {
		count_entries(dir, seen);
		EXPECT_EQ(2, seen[0]);	/* "." and ".." */
		for (int i = 1; i <= MANY; i++) {
			ASSERT_EQ(1, seen[i])
				TH_LOG("pass %d file %d", pass, i - 1);
		}
		rewinddir(dir);
	}
	closedir(dir);

	/* Listing takes references that only FORGET gives back. */
	for (int i = 0; i < MANY; i++) {
		char path[NAME_MAX + 8];

		many_name(name, i);
		snprintf(path, sizeof(path), "many/%s", name);
		ASSERT_EQ(0, unlinkat(self->mnt, path, 0));
	}
	EXPECT_EQ(0, unlinkat(self->mnt, "many", AT_REMOVEDIR));
	EXPECT_EQ(0, server_wait_inodes(self->srv, 0));
}

/* --- attributes ----------------------------------------------------------- */

TEST_F(files, attributes_are_set_one_by_one)
{
	static const struct timespec times[] = { { 1000000001, 987654321 }, { 7, 1 } };
	static const struct timespec mtime_only[] = { { 0, UTIME_OMIT }, { 8, 2 } };
	int fd = make_file(self->mnt, "file", "0123456789");
	struct stat st;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fchownat(self->mnt, "file", 12, -1, 0));
	EXPECT_EQ(0, fchownat(self->mnt, "file", -1, 34, 0));
	EXPECT_EQ(0, fchmodat(self->mnt, "file", 04751, 0));
	EXPECT_SAME_ATTRIBUTES("file");
	fstatat(self->backing, "file", &st, 0);
	EXPECT_EQ(12, st.st_uid);
	EXPECT_EQ(34, st.st_gid);
	EXPECT_EQ(04751, st.st_mode & 07777);

	EXPECT_EQ(0, ftruncate(fd, 20000));
	EXPECT_EQ(0, utimensat(self->mnt, "file", times, 0));
	EXPECT_EQ(0, utimensat(self->mnt, "file", mtime_only, 0));
	EXPECT_SAME_ATTRIBUTES("file");
	fstatat(self->backing, "file", &st, 0);
	EXPECT_EQ(20000, st.st_size);
	EXPECT_EQ(1000000001, st.st_atim.tv_sec);
	EXPECT_EQ(987654321, st.st_atim.tv_nsec);
	EXPECT_EQ(8, st.st_mtim.tv_sec);
	EXPECT_EQ(2, st.st_mtim.tv_nsec);
	close(fd);
}

TEST_F(files, a_symlink_has_attributes_of_its_own)
{
	static const struct timespec times[] = { { 5, 0 }, { 6, 0 } };
	struct stat st;

	close(make_file(self->mnt, "file", "x"));
	ASSERT_EQ(0, symlinkat("file", self->mnt, "symlink"));
	EXPECT_EQ(0, fchownat(self->mnt, "symlink", 12, 34, AT_SYMLINK_NOFOLLOW));
	EXPECT_EQ(0, utimensat(self->mnt, "symlink", times, AT_SYMLINK_NOFOLLOW));
	EXPECT_SAME_ATTRIBUTES("symlink");
	EXPECT_SAME_ATTRIBUTES("file");
	fstatat(self->backing, "symlink", &st, AT_SYMLINK_NOFOLLOW);
	EXPECT_EQ(12, st.st_uid);
	EXPECT_EQ(6, st.st_mtim.tv_sec);
	fstatat(self->backing, "file", &st, 0);
	EXPECT_EQ(0, st.st_uid);
}

TEST_F(files, extended_attributes_round_trip)
{
	int fd = make_file(self->mnt, "file", "x");
	char value[16] = "", list[256];
	ssize_t len;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fsetxattr(fd, "trusted.fuse_selftest", "value", 5, XATTR_CREATE));
	EXPECT_EQ(EEXIST, ERRNO_OF(fsetxattr(fd, "trusted.fuse_selftest", "", 0, XATTR_CREATE)));
	EXPECT_EQ(5, fgetxattr(fd, "trusted.fuse_selftest", NULL, 0));
	EXPECT_EQ(ERANGE, ERRNO_OF(fgetxattr(fd, "trusted.fuse_selftest", value, 2)));
	EXPECT_EQ(5, fgetxattr(fd, "trusted.fuse_selftest", value, sizeof(value)));
	EXPECT_STREQ("value", value);
	len = flistxattr(fd, list, sizeof(list));
	EXPECT_LT(0, len);
	EXPECT_NE(NULL, memmem(list, len, "trusted.fuse_selftest", 22));
	EXPECT_EQ(len, flistxattr(fd, NULL, 0));
	EXPECT_EQ(0, fremovexattr(fd, "trusted.fuse_selftest"));
	EXPECT_EQ(ENODATA, ERRNO_OF(fgetxattr(fd, "trusted.fuse_selftest", NULL, 0)));
	close(fd);
}

TEST_F(files, statfs_is_that_of_the_backing_file_system)
{
	struct statvfs f, b;

	ASSERT_EQ(0, fstatvfs(self->mnt, &f));
	ASSERT_EQ(0, fstatvfs(self->backing, &b));
	EXPECT_EQ(b.f_blocks, f.f_blocks);
	EXPECT_EQ(b.f_bsize, f.f_bsize);
	EXPECT_EQ(b.f_namemax, f.f_namemax);
}

/* --- opening ---------------------------------------------------------------- */

TEST_F(files, o_trunc_empties_the_file_with_and_without_its_own_request)
{
	static const uint64_t clear[] = { 0, FUSE_ATOMIC_O_TRUNC };

	for (unsigned int i = 0; i < 2; i++) {
		struct server_options opt = { .init_clear = clear[i] };
		struct stat st;

		close(self->mnt);
		ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt));
		self->mnt = open(self->sb.mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(make_file(self->backing, "file", "bytes"));
		close(openat(self->mnt, "file", O_WRONLY | O_TRUNC | O_CLOEXEC));
		EXPECT_EQ(i, server_requests(self->sb.server, FUSE_SETATTR));
		EXPECT_EQ(0, fstatat(self->backing, "file", &st, 0));
		EXPECT_EQ(0, st.st_size);
		EXPECT_SAME_ATTRIBUTES("file");
		unlinkat(self->mnt, "file", 0);
	}
}

TEST_F(files, open_flags_of_creation_are_honoured)
{
	int fd = openat(self->mnt, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0200);

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(EBADF, ERRNO_OF(pread(fd, &fd, 1, 0)));
	EXPECT_EQ(EEXIST, ERRNO_OF(openat(self->mnt, "file", O_RDWR | O_CREAT | O_EXCL, 0600)));
	close(fd);

	/* Somebody else creates it after the kernel found nothing. */
	server_set_timeouts(self->srv, LONG_TIMEOUT, LONG_TIMEOUT);
	EXPECT_EQ(ENOENT, ERRNO_OF(openat(self->mnt, "later", O_RDONLY)));
	close(make_file(self->backing, "later", "bytes"));
	fd = openat(self->mnt, "later", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, pread(fd, (char[5]) {}, 5, 0));
	close(fd);
}

/* Whatever the mode: bytes written come back, here and in the backing file. */
#define CHUNK (3 << 20)		/* more than one request may carry */

static bool round_trip(int fd, int beside, char *out, char *in)
{
	const off_t odd = 4097;

	return pwrite(fd, out, CHUNK, odd) == CHUNK &&
	       pread(fd, in, CHUNK, odd) == CHUNK && !memcmp(in, out, CHUNK) &&
	       pread(beside, in, CHUNK, odd) == CHUNK && !memcmp(in, out, CHUNK);
}

TEST_F(files, bytes_round_trip_in_every_mode)
{
	char *out = malloc(CHUNK), *in = malloc(CHUNK);
	int beside;

	close(make_file(self->backing, "file", ""));
	beside = openat(self->backing, "file", O_RDWR | O_CLOEXEC);
	for (enum server_mode mode = 0; mode < SERVER_MODES; mode++) {
		int fd, append;

		if (mode >= SERVER_PASSTHROUGH && server_abi(self->srv) == SERVER_ABI_NONE)
			continue;
		server_set_mode(self->srv, mode);
		for (int i = 0; i < CHUNK; i++)
			out[i] = (i >> 9) + i + 7 * mode;
		fd = openat(self->mnt, "file", O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_TRUE(round_trip(fd, beside, out, in))
			TH_LOG("%s", server_mode_name(mode));
		close(fd);

		append = openat(self->mnt, "file", O_WRONLY | O_APPEND | O_CLOEXEC);
		ASSERT_LE(0, append);
		EXPECT_EQ(4, write(append, "tail", 4));
		EXPECT_EQ(4, pread(beside, in, 4, lseek(beside, -4, SEEK_END)));
		EXPECT_EQ(0, memcmp(in, "tail", 4))
			TH_LOG("%s", server_mode_name(mode));
		close(append);
		EXPECT_SAME_ATTRIBUTES("file");
	}
	close(beside);
	free(out);
	free(in);
}

/* --- space -------------------------------------------------------------------- */

TEST_F(files, fallocate_punches_and_seek_finds_the_hole)
{
	const off_t hole = 1 << 16, len = 1 << 17;
	int fd = make_file(self->mnt, "file", "");
	char *bytes = calloc(1, len);
	struct stat st;

	ASSERT_LE(0, fd);
	memset(bytes, 'x', len);
	ASSERT_EQ(len, pwrite(fd, bytes, len, 0));
	EXPECT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, hole, hole / 2));
	ASSERT_EQ(0, fsync(fd));
	EXPECT_EQ(hole, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(hole + hole / 2, lseek(fd, hole, SEEK_DATA));
	EXPECT_EQ(1, pread(fd, bytes, 1, hole));
	EXPECT_EQ(0, bytes[0]);

	EXPECT_EQ(0, fallocate(fd, FALLOC_FL_KEEP_SIZE, len, 4096));
	EXPECT_EQ(0, fstatat(self->backing, "file", &st, 0));
	EXPECT_EQ(len, st.st_size);
	EXPECT_EQ(0, fallocate(fd, 0, len, 4096));
	EXPECT_EQ(0, fstatat(self->backing, "file", &st, 0));
	EXPECT_EQ(len + 4096, st.st_size);
	close(fd);
	free(bytes);
}

TEST_F(files, copy_file_range_copies)
{
	int in = make_file(self->mnt, "in", "0123456789");
	int out = make_file(self->mnt, "out", "abcdefghij");
	off_t from = 2, to = 5;
	char seen[11] = "";

	ASSERT_LE(0, in);
	ASSERT_LE(0, out);
	EXPECT_EQ(4, copy_file_range(in, &from, out, &to, 4, 0));
	EXPECT_EQ(6, from);
	EXPECT_EQ(9, to);
	EXPECT_EQ(10, pread(out, seen, 10, 0));
	EXPECT_STREQ("abcde2345j", seen);
	EXPECT_LE(1, server_requests(self->srv, FUSE_COPY_FILE_RANGE) +
		     server_requests(self->srv, ABI_COPY_FILE_RANGE_64));
	close(in);
	close(out);
}

TEST_F(files, locks_stay_in_the_kernel)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd = make_file(self->mnt, "file", "x");
	int fd2 = openat(self->mnt, "file", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, fd2);
	EXPECT_EQ(0, fcntl(fd, F_OFD_SETLK, &lock));
	EXPECT_EQ(EAGAIN, ERRNO_OF(fcntl(fd2, F_OFD_SETLK, &lock)));
	EXPECT_EQ(0, flock(fd, LOCK_EX));
	EXPECT_EQ(EWOULDBLOCK, ERRNO_OF(flock(fd2, LOCK_EX | LOCK_NB)));
	EXPECT_EQ(0, server_requests(self->srv, FUSE_SETLK));
	close(fd);
	close(fd2);
}

/* --- callers ------------------------------------------------------------------ */

#define USER 1234
#define GROUP 2345
#define EXTRA_GROUP 3456

static int become_user(void)
{
	gid_t extra = EXTRA_GROUP;

	return setgroups(1, &extra) || setgid(GROUP) || setuid(USER) ? -1 : 0;
}

/* The bits of the result tell which step went wrong. */
static int create_as_user(int mnt)
{
	int wrong = 0;

	if (become_user())
		return 1;
	umask(027);
	if (make_file(mnt, "open/file", "x") < 0)
		wrong |= 2;
	if (mkdirat(mnt, "open/dir", 0777))
		wrong |= 4;
	/* Only the supplementary group may write here. */
	if (symlinkat("x", mnt, "group/symlink"))
		wrong |= 8;
	if (ERRNO_OF(mkdirat(mnt, "closed/dir", 0777)) != EACCES)
		wrong |= 16;
	if (ERRNO_OF(openat(mnt, "closed/file", O_WRONLY | O_CREAT, 0666)) != EACCES)
		wrong |= 32;
	return wrong;
}

TEST_F(files, what_a_user_creates_belongs_to_the_user)
{
	struct stat st;
	int status;
	pid_t child;

	ASSERT_EQ(0, mkdirat(self->mnt, "open", 0777));
	ASSERT_EQ(0, mkdirat(self->mnt, "closed", 0755));
	ASSERT_EQ(0, mkdirat(self->mnt, "group", 0770));
	ASSERT_EQ(0, fchownat(self->mnt, "group", 0, EXTRA_GROUP, 0));
	child = fork();
	if (!child)
		_exit(create_as_user(self->mnt));
	waitpid(child, &status, 0);
	ASSERT_EQ(0, WEXITSTATUS(status));

	EXPECT_EQ(0, fstatat(self->backing, "open/file", &st, 0));
	EXPECT_EQ(USER, st.st_uid);
	EXPECT_EQ(GROUP, st.st_gid);
	EXPECT_EQ(0640, st.st_mode & 07777);
	EXPECT_EQ(0, fstatat(self->backing, "open/dir", &st, 0));
	EXPECT_EQ(USER, st.st_uid);
	EXPECT_EQ(0750, st.st_mode & 07777);
	EXPECT_EQ(0, fstatat(self->backing, "group/symlink", &st, AT_SYMLINK_NOFOLLOW));
	EXPECT_EQ(USER, st.st_uid);
}

/* --- leaks ---------------------------------------------------------------------- */

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

#define CYCLES 200

/* FORGET comes late, but an unlinked file is forgotten at its last close. */
TEST_F(files, descriptors_do_not_grow)
{
	struct stat st;
	int before;

	if (server_abi(self->srv) == SERVER_ABI_MAINLINE)
		server_set_mode(self->srv, SERVER_PASSTHROUGH);
	server_set_timeouts(self->srv, 0, 0);
	before = count_descriptors();
	for (int i = 0; i < CYCLES; i++) {
		int fd = make_file(self->mnt, "file", "x");

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, fstatat(self->mnt, "file", &st, 0));
		close(fd);
		ASSERT_EQ(0, unlinkat(self->mnt, "file", 0));
	}
	EXPECT_EQ(0, server_wait_requests(self->srv, FUSE_RELEASE, CYCLES));
	EXPECT_EQ(0, server_wait_inodes(self->srv, 0));
	EXPECT_EQ(before, count_descriptors());
}

SUITE_MAIN_ANY()
