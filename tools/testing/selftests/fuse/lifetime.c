// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetime of what passthrough holds together.
 *
 * Once a file is open the server is out of the way of its data: a server that
 * died, hangs or was unmounted takes neither bytes nor mappings with it. And
 * what was held must be let go: the file system below can be unmounted when the
 * last user is gone, and not before. The L ids in the comments are rows of the
 * catalogue of properties.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#include "abi.h"
#include "fault.h"
#include "process.h"
#include "suite_file.h"
#include "tower.h"

FIXTURE(lifetime)
{
	struct sandbox sb;
	struct testfile *tf;
};

BACKING_VARIANTS(lifetime);

static const struct sandbox_options ordinary = {
	.server = { .mode = SERVER_PASSTHROUGH },
};

FIXTURE_SETUP(lifetime)
{
	struct sandbox_options opt = ordinary;
	struct report_case report;

	opt.fs = variant->fs;
	SUITE_SANDBOX(&self->sb, opt);
	report = suite_case(_metadata, variant->fs, &self->sb);
	self->tf = testfile_new(&report);
	ASSERT_NE(NULL, self->tf);
}

FIXTURE_TEARDOWN(lifetime)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

/* --- L1: the server is gone -------------------------------------------------- */

static int abort_connection(struct sandbox *sb)
{
	return server_abort(sb->server);
}

static int kill_server(struct sandbox *sb)
{
	return kill(server_pid(sb->server), SIGKILL) ? -errno : 0;
}

static int unmount_lazily(struct sandbox *sb)
{
	return umount2(sb->mnt, MNT_DETACH) ? -errno : 0;
}

static const struct death {
	const char *name;
	int (*strike)(struct sandbox *sb);
	bool own_process;	/* the server must be one that can be killed */
	bool metadata_dies;	/* with the connection */
} deaths[] = {
	{ "abort",		abort_connection,	false,	true },
	{ "server-killed",	kill_server,		true,	true },
	{ "lazy-unmount",	unmount_lazily,		false,	false },
};

/*
 * A connection ends when the last descriptor of its device is closed, which a
 * killed process does on its way out: wait until the kernel says so.
 */
static void wait_for_end(struct __test_metadata *_metadata, int fd)
{
	struct stat st;

	/* One that was on its way when the end came was aborted. */
	while (!fstat(fd, &st) || errno == ECONNABORTED)
		sched_yield();
	EXPECT_EQ(ENOTCONN, errno);
}

static void expect_metadata_dead(struct __test_metadata *_metadata, struct testfile *tf)
{
	int fd = tf->actors[SELF].views[F1].fd;
	struct stat st;

	EXPECT_EQ(-1, stat(tf->fuse, &st));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, open(tf->fuse, O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, fsync(fd));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, ftruncate(fd, 0));
	EXPECT_EQ(ENOTCONN, errno);
}

TEST_F(lifetime, data_outlives_the_server)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct testfile *tf = self->tf;
	struct server_options opt;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(deaths); i++) {
		if (!report_select(&tf->report, "%s", deaths[i].name))
			continue;
		opt = ordinary.server;
		opt.mode = suite_mode(opt.mode);
		opt.own_process = deaths[i].own_process;
		ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
			TH_LOG("%s", self->sb.why);
		}
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, DATA_VIEWS));
		/* Page 0 is touched, the others are met after the server's end. */
		ASSERT_EQ(0U, testfile_check(tf, page, 0));

		ASSERT_EQ(0, deaths[i].strike(&self->sb));
		if (deaths[i].metadata_dies) {
			wait_for_end(_metadata, tf->actors[SELF].views[F1].fd);
			expect_metadata_dead(_metadata, tf);
		}
		expect_data_alive(_metadata, tf);
		testfile_remove(tf);
	}
}

/* L1, the control: in cached mode a page not yet read died with the server. */
TEST_F(lifetime, cached_page_dies_with_the_server)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct testfile *tf = self->tf;
	struct fault fault;
	char byte;

	server_set_mode(self->sb.server, suite_mode(SERVER_CACHED));
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(MR)));
	ASSERT_EQ(0, server_abort(self->sb.server));
	EXPECT_EQ(-EFAULT, fault_copy(&byte, tf->actors[SELF].views[MR].map + 5 * page, 1, &fault));
	EXPECT_EQ(SIGBUS, fault.signo);
}

/* --- L2: everything is let go -------------------------------------------------- */

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Kilobytes of this process, server included, that are its own. */
static long own_memory(void)
{
	long size, resident, shared;
	FILE *f = fopen("/proc/self/statm", "re");
	bool read = f && fscanf(f, "%ld %ld %ld", &size, &resident, &shared) == 3;

	if (f)
		fclose(f);
	return read ? (resident - shared) * (sysconf(_SC_PAGESIZE) / 1024) : -1;
}

/* What an allocator may keep; a leak of 16 bytes a cycle is more after 10 000 of them. */
#define MEMORY_SLACK	128	/* KiB */

/* FUSE_TEST_CYCLES=10000 asks for more. */
static int cycles_wanted(void)
{
	const char *wanted = getenv("FUSE_TEST_CYCLES");

	return wanted && atoi(wanted) > 0 ? atoi(wanted) : 1000;
}

/* L2, M1: every open is released, whatever was done with it; no descriptor or memory stays. */
TEST_F(lifetime, cycles_leave_nothing_open)
{
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	const int cycles = cycles_wanted();
	long memory = 0;
	int n, before;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(MS)));
	testfile_close(tf, SELF, MS);
	ASSERT_EQ(0, server_wait_requests(server, FUSE_RELEASE, 1));
	before = count_descriptors();
	for (n = 0; n < cycles; n++) {
		/* The oracle's history is full and all code has run. */
		if (n == cycles / 2)
			memory = own_memory();
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(MS)));
		ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, n % 1000));
		ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64,
					     n % 1000 + 5000));
		/* By turns the mapping is closed last or first. */
		if (n % 2)
			ASSERT_EQ(0, testfile_close_fd(tf, SELF, MS));
		testfile_close(tf, SELF, n % 2 ? F1 : MS);
		testfile_close(tf, SELF, n % 2 ? MS : F1);
	}
	ASSERT_EQ(0, server_wait_requests(server, FUSE_RELEASE, 2 * cycles + 1));
	EXPECT_EQ(server_requests(server, FUSE_OPEN), server_requests(server, FUSE_RELEASE));
	EXPECT_EQ(before, count_descriptors());
	/* Of a short run, or one with a debugging allocator, it would say nothing. */
	if (getenv("FUSE_TEST_CYCLES"))
		EXPECT_GE(memory + MEMORY_SLACK, own_memory());
	EXPECT_EQ(0, server_backing_id(server, "file"));
	EXPECT_EQ(0U, server_requests(server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(server, FUSE_WRITE));
}

static int build_tower(const struct sandbox *sb, struct tower *t)
{
	struct server_options opt = ordinary.server;
	char path[PATH_MAX + 8];
	int fd;

	snprintf(t->below, sizeof(t->below), "%.4000s/tower-below", sb->dir);
	snprintf(t->above, sizeof(t->above), "%.4000s/tower-above", sb->dir);
	if (mkdir(t->below, 0700) || mkdir(t->above, 0700) ||
	    mount("tower", t->below, "tmpfs", 0, NULL))
		return -errno;
	snprintf(path, sizeof(path), "%s/file", t->below);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, 2 * sysconf(_SC_PAGESIZE)))
		return -errno;
	close(fd);
	opt.mode = suite_mode(opt.mode);
	/* Its descriptors and the ids it never closes shall die with it. */
	opt.own_process = true;
	return server_start(&t->server, t->below, t->above, &opt);
}

/*
 * L2: unmounting what lies below is refused while anything may still reach it,
 * and works when the last user is gone, although the id was never closed.
 */
TEST_F(lifetime, lets_go_of_the_backing_file_system)
{
	struct tower t = {};
	char path[PATH_MAX + 8], *map;
	int fd;

	ASSERT_EQ(0, build_tower(&self->sb, &t));
	snprintf(path, sizeof(path), "%s/file", t.above);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	map = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_FALSE(can_unmount_below(&t)) {
		TH_LOG("unmounted below a served mount");
	}
	server_stop(t.server);
	EXPECT_FALSE(can_unmount_below(&t)) {
		TH_LOG("unmounted below an open file and its mapping");
	}
	/* Closes it, though it reports that nobody could be told to flush. */
	close(fd);
	EXPECT_FALSE(can_unmount_below(&t)) {
		TH_LOG("unmounted below a mapping");
	}
	ASSERT_EQ(0, fault_copy(map, "still mine", 10, NULL));
	ASSERT_EQ(0, munmap(map, sysconf(_SC_PAGESIZE)));
	EXPECT_TRUE(can_unmount_below(&t)) {
		TH_LOG("still pinned after the last user: a reference leaked: %s", strerror(errno));
	}
	umount2(t.below, MNT_DETACH);
}

/* L2: an id holds its file until it is closed, an open that used it until that is. */
TEST_F(lifetime, closed_id_lets_go_of_the_backing_file_system)
{
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	struct tower t = {};
	int32_t id;
	int fd;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 has no BACKING_CLOSE");
	id = register_tower_file(&self->sb, &t);
	ASSERT_LT(0, id);
	EXPECT_FALSE(can_unmount_below(&t)) {
		TH_LOG("unmounted below a registered file");
	}
	ASSERT_EQ(0, testfile_create(tf, "file"));
	server_set_open_reply(server, FOPEN_PASSTHROUGH, id);
	fd = open(tf->fuse, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, server_backing_close(server, id));
	EXPECT_FALSE(can_unmount_below(&t)) {
		TH_LOG("unmounted below an open file");
	}
	close(fd);
	EXPECT_TRUE(can_unmount_below(&t)) {
		TH_LOG("still pinned after the id and its user are gone: %s", strerror(errno));
	}
	umount2(t.below, MNT_DETACH);
}

static int mount_flags_of(const struct tower *t, unsigned long flags)
{
	return mount(NULL, t->below, NULL, MS_REMOUNT | MS_BIND | flags, NULL);
}

/*
 * L2: an open that failed because the backing file could not be opened holds
 * nothing: neither the backing file system nor the FUSE mount.
 */
TEST_F(lifetime, failed_open_of_the_backing_file_holds_nothing)
{
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	struct tower t = {};
	int32_t id;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 opens no backing file");
	id = register_tower_file(&self->sb, &t);
	ASSERT_LT(0, id);
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, mount_flags_of(&t, MS_RDONLY));
	server_set_open_reply(server, FOPEN_PASSTHROUGH, id);
	EXPECT_EQ(-1, open(tf->fuse, O_RDWR | O_CLOEXEC)) {
		TH_LOG("writable, though the mount of the backing file is not");
	}
	EXPECT_EQ(EIO, errno);
	ASSERT_EQ(0, mount_flags_of(&t, 0));
	ASSERT_EQ(0, server_backing_close(server, id));
	EXPECT_TRUE(can_unmount_below(&t)) {
		TH_LOG("the backing file system is pinned: %s", strerror(errno));
	}
	EXPECT_EQ(0, umount2(self->sb.mnt, 0)) {
		TH_LOG("the FUSE mount is pinned: %s", strerror(errno));
	}
	umount2(t.below, MNT_DETACH);
}

/* L2: whichever way bytes were moved, no reference is left behind. */
TEST_F(lifetime, no_way_to_read_or_write_pins_the_file)
{
	static const enum view_id views[] = { F1, FD, MS };
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	const struct action *action;
	static char buf[DIRECT_ALIGN];
	struct tower t = {};
	int32_t id;
	size_t i;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 has no BACKING_CLOSE");
	id = register_tower_file(&self->sb, &t);
	ASSERT_LT(0, id);
	ASSERT_EQ(0, testfile_create(tf, "file"));
	server_set_open_reply(server, FOPEN_PASSTHROUGH, id);
	for (i = 0; i < ARRAY_SIZE(views); i++)
		/* tmpfs takes O_DIRECT since 6.6. */
		if (testfile_open(tf, SELF, VIEW_BIT(views[i])))
			ASSERT_EQ(FD, views[i]);
	ASSERT_EQ(0, server_backing_close(server, id));

	for (action = actions; action->name; action++) {
		for (i = 0; i < ARRAY_SIZE(views); i++) {
			if (!view_is_open(&tf->actors[SELF].views[views[i]]) ||
			    action_missing(action) ||
			    !action_fits(action, &view_specs[views[i]], 0, sizeof(buf),
					 TESTFILE_SIZE))
				continue;
			/* What comes of it is the business of other tests. */
			testfile_act(tf, SELF, views[i], action, buf, sizeof(buf), 0);
		}
	}
	for (i = 0; i < ARRAY_SIZE(views); i++)
		testfile_close(tf, SELF, views[i]);
	EXPECT_TRUE(can_unmount_below_soon(&t)) {
		TH_LOG("still pinned after the last close: %s", strerror(errno));
	}
	umount2(t.below, MNT_DETACH);
}

#define CREDENTIALS "/sys/kernel/slab/cred/objects"

/* Sets of credentials in the kernel, give or take what other tasks do; -1: not known. */
static long count_credentials(void)
{
	FILE *f = fopen(CREDENTIALS, "re");
	long n;

	if (!f || fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* L2: the registrant's credentials go with the last one who used them. */
TEST_F(lifetime, cycles_leave_no_credentials)
{
	const double end = seconds_now() + SERVER_WAIT_SECONDS;
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	const int cycles = 2000;
	int backing, fd, n;
	long before;
	int32_t id;

	before = count_credentials();
	if (before < 0)
		SKIP(return, CREDENTIALS " is missing (CONFIG_SLUB_DEBUG)");
	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 has no BACKING_CLOSE");
	ASSERT_EQ(0, testfile_create(tf, "file"));
	backing = open(tf->backing, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, backing);
	for (n = 0; n < cycles; n++) {
		id = server_backing_open(server, backing);
		ASSERT_LT(0, id);
		server_set_open_reply(server, FOPEN_PASSTHROUGH, id);
		fd = open(tf->fuse, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, server_backing_close(server, id));
		close(fd);
	}
	close(backing);
	/* They are freed after a grace period, and other tasks come and go. */
	while (count_credentials() - before > cycles / 2 && seconds_now() < end)
		sched_yield();
	EXPECT_GE(cycles / 2, count_credentials() - before) {
		TH_LOG("each of %d registrations left its credentials behind", cycles);
	}
}

/* --- L3: a mapping seen from outside ------------------------------------------- */

/* The line of /proc/self/maps for @map: device, inode, path. */
static bool maps_line(const void *map, unsigned int *major_nr, unsigned int *minor_nr,
		      unsigned long *ino, char *path)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long start;
	char line[PATH_MAX + 128];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%lx-%*x %*s %*x %x:%x %lu %4095s", &start, major_nr,
			       minor_nr, ino, path) == 5 && start == (unsigned long)map;
	if (f)
		fclose(f);
	return found;
}

/*
 * L3: /proc names the file that was mapped, not the one behind it, and the mount
 * is busy. Over overlayfs, known deviation D11: the mapping is overlayfs's own.
 */
TEST_F(lifetime, mapping_belongs_to_the_fuse_file)
{
	struct testfile *tf = self->tf;
	unsigned int major_nr, minor_nr;
	char path[PATH_MAX] = "";
	bool named, busy;
	unsigned long ino;
	struct stat st;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(MS)));
	ASSERT_EQ(0, fstat(tf->actors[SELF].views[MS].fd, &st));
	ASSERT_TRUE(maps_line(tf->actors[SELF].views[MS].map, &major_nr, &minor_nr, &ino, path));
	named = major(st.st_dev) == major_nr && minor(st.st_dev) == minor_nr &&
		st.st_ino == ino && !strcmp(tf->fuse, path);
	ASSERT_EQ(0, testfile_close_fd(tf, SELF, MS));
	busy = umount2(self->sb.mnt, 0) && errno == EBUSY;

	if (!strcmp(variant->fs, "overlayfs")) {
		suite_deviation(_metadata, "D11", named && busy);
		return;
	}
	EXPECT_TRUE(named) {
		TH_LOG("/proc/self/maps: %s, device %u:%u, inode %lu", path, major_nr, minor_nr,
		       ino);
	}
	EXPECT_TRUE(busy) {
		TH_LOG("the mount of a mapped file could be unmounted");
	}
}

/* --- L4: who is asked to write back ---------------------------------------------- */

/* L4: msync goes to the backing file alone; fsync and fdatasync ask the server once. */
TEST_F(lifetime, sync_requests_are_counted)
{
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	struct view *v;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(FS) | VIEW_BIT(MS)));
	v = tf->actors[SELF].views;
	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, 0));
	EXPECT_EQ(0, msync(v[MS].map, 1, MS_SYNC));
	EXPECT_EQ(0, msync(v[MS].map, 1, MS_ASYNC));
	EXPECT_EQ(0U, server_requests(server, FUSE_FSYNC));
	EXPECT_EQ(0, fsync(v[F1].fd));
	EXPECT_EQ(1U, server_requests(server, FUSE_FSYNC));
	EXPECT_EQ(0, fdatasync(v[F1].fd));
	EXPECT_EQ(2U, server_requests(server, FUSE_FSYNC));
	EXPECT_EQ(0U, server_requests(server, FUSE_WRITE));
	server_fail(server, FUSE_FSYNC, EIO, 1);
	EXPECT_EQ(-1, fsync(v[F1].fd));
	EXPECT_EQ(EIO, errno);
}

/* L4: O_SYNC and RWF_DSYNC mean what they say without the server's help. */
TEST_F(lifetime, synchronous_writes_leave_nothing_dirty)
{
	struct testfile *tf = self->tf;
	struct view *v = tf->actors[SELF].views;
	long dirty;

	if (!strcmp(variant->fs, "tmpfs"))
		SKIP(return, "tmpfs has nothing to write back to");
	if (!strcmp(variant->fs, "overlayfs"))
		SKIP(return, "the page cache behind overlayfs cannot be asked for by cachestat(2)");
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(FS) | VIEW_BIT(B)));
	dirty = testfile_dirty_pages(v[B].fd);
	if (dirty == -ENOSYS)
		SKIP(return, "cachestat(2) is missing (Linux 6.5)");
	ASSERT_EQ(0, fsync(v[B].fd));
	ASSERT_EQ(0, testfile_dirty_pages(v[B].fd));
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, 100));
	/* The control: an ordinary write is still in the cache. */
	EXPECT_LT(0, testfile_dirty_pages(v[B].fd));
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwritev2-dsync"), 64, 100));
	EXPECT_EQ(0, testfile_dirty_pages(v[B].fd));
	ASSERT_EQ(64, testfile_write(tf, SELF, FS, action_find("pwrite"), 64, 100));
	EXPECT_EQ(0, testfile_dirty_pages(v[B].fd));
}

/* L4, known deviation D8: a server without fsync cannot make fsync(2) lie. */
TEST_F(lifetime, fsync_without_the_server_writes_back)
{
	struct testfile *tf = self->tf;
	struct view *v = tf->actors[SELF].views;

	if (!strcmp(variant->fs, "tmpfs"))
		SKIP(return, "tmpfs has nothing to write back to");
	if (!strcmp(variant->fs, "overlayfs"))
		SKIP(return, "the page cache behind overlayfs cannot be asked for by cachestat(2)");
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
	if (testfile_dirty_pages(v[B].fd) == -ENOSYS)
		SKIP(return, "cachestat(2) is missing (Linux 6.5)");
	/* The control: with the server's help it does. */
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, 100));
	ASSERT_EQ(0, fsync(v[F1].fd));
	ASSERT_EQ(0, testfile_dirty_pages(v[B].fd));

	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("pwrite"), 64, 100));
	server_fail(self->sb.server, FUSE_FSYNC, ENOSYS, 1);
	ASSERT_EQ(0, fsync(v[F1].fd));
	suite_deviation(_metadata, "D8", !testfile_dirty_pages(v[B].fd));
}

/* --- L6: the backing file system takes its time ----------------------------------- */

/*
 * A child that holds the backing file system frozen until @release is closed, and no
 * longer than FROZEN_SECONDS: a tester killed with a write under way has it open as
 * long as it waits for the thaw.
 */
#define FROZEN_SECONDS	(2 * SERVER_WAIT_SECONDS)

struct freezer {
	pid_t pid;
	int release;
};

static void freeze_until_released(const char *dir, int frozen, int release)
{
	struct pollfd released = { .fd = release };
	int fd = open(dir, O_RDONLY | O_CLOEXEC);
	char err = fd < 0 || ioctl(fd, FIFREEZE, 0) ? errno : 0;

	if (write(frozen, &err, 1) == 1 && !err) {
		poll(&released, 1, FROZEN_SECONDS * 1000);
		ioctl(fd, FITHAW, 0);
	}
	_exit(0);
}

/* 0 or -errno. */
static int freeze(struct freezer *f, const struct sandbox *sb)
{
	int frozen[2], release[2];
	char err = EIO;

	if (pipe2(frozen, O_CLOEXEC) || pipe2(release, O_CLOEXEC))
		return -errno;
	f->pid = fork();
	if (!f->pid) {
		/* Whoever ends the test by its process group must not leave it frozen. */
		setsid();
		close(server_device(sb->server));
		close(release[1]);
		freeze_until_released(sb->backing, frozen[1], release[0]);
	}
	close(frozen[1]);
	close(release[0]);
	f->release = release[1];
	if (read(frozen[0], &err, 1) < 0)
		err = errno;
	close(frozen[0]);
	return -err;
}

static void thaw(const struct freezer *f)
{
	close(f->release);
	waitpid(f->pid, NULL, 0);
}

/* A thread that writes, and how far it is. */
struct writer {
	struct testfile *tf;
	const struct action *action;
	char buf[64];
	pthread_t thread;
	atomic_int tid;
	atomic_bool done;
	ssize_t ret;
};

static void *write_once(void *arg)
{
	struct writer *w = arg;

	w->tid = syscall(SYS_gettid);
	w->ret = w->action->run(&w->tf->actors[SELF].views[F1], w->buf, sizeof(w->buf), 100);
	w->done = true;
	return NULL;
}

/* False after SERVER_WAIT_SECONDS: neither has it ended nor does it wait for the disk. */
static bool has_come_to_rest(const struct writer *w)
{
	const time_t end = time(NULL) + SERVER_WAIT_SECONDS;

	while (!w->done && process_state(w->tid) != 'D') {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

/* L6: what waits for a frozen file system without passthrough waits with it. */
TEST_F(lifetime, frozen_backing_file_system_is_not_written)
{
	static const char *const writers[] = { "pwrite", "splice-write" };
	struct testfile *tf = self->tf;
	struct freezer freezer;
	char seen[64];
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		struct writer w = { .tf = tf, .action = action_find(writers[i]) };

		memset(w.buf, 'f', sizeof(w.buf));
		ASSERT_EQ(0, testfile_create(tf, "file"));
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(B)));
		err = freeze(&freezer, &self->sb);
		if (err) {
			thaw(&freezer);
			SKIP(return, "%s cannot be frozen: %s", variant->fs, strerror(-err));
		}
		EXPECT_EQ(0, pthread_create(&w.thread, NULL, write_once, &w));
		EXPECT_TRUE(has_come_to_rest(&w)) {
			TH_LOG("%s waits for the server", writers[i]);
		}
		EXPECT_FALSE(atomic_load(&w.done)) {
			TH_LOG("%s did not wait", writers[i]);
		}
		EXPECT_EQ(64, pread(tf->actors[SELF].views[B].fd, seen, sizeof(seen), 100));
		EXPECT_NE(0, memcmp(w.buf, seen, sizeof(seen)));
		thaw(&freezer);
		pthread_join(w.thread, NULL);
		EXPECT_EQ(64, w.ret);
		EXPECT_EQ(64, pread(tf->actors[SELF].views[B].fd, seen, sizeof(seen), 100));
		EXPECT_EQ(0, memcmp(w.buf, seen, sizeof(seen)));
		testfile_remove(tf);
	}
}

SUITE_MAIN()
