// SPDX-License-Identifier: GPL-2.0
/*
 * Stores for which there are free blocks, but not for this user or subvolume:
 * quotas of ext4, xfs and tmpfs, quota groups of btrfs. The store raises SIGBUS,
 * as on a full file system, and nothing else is lost.
 *
 * The E ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi.h"
#include "backing.h"
#include "fault.h"
#include "half_empty.h"
#include "reason.h"

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd	443	/* Linux 5.14; the same number on every architecture but alpha */
#endif

/* Bytes of a user or subvolume that is full; btrfs counts its metadata in. */
#define SHARE	(512 * 1024)

/* Whose share it is where users have one. */
#define OWNER	1000

FIXTURE(share)
{
	struct sandbox sb;
	struct testfile *tf;
};

/* overlayfs has no shares but those of what is below. */
FIXTURE_VARIANT(share) { const char *fs; };
FIXTURE_VARIANT_ADD(share, tmpfs) { .fs = "tmpfs" };
FIXTURE_VARIANT_ADD(share, ext4) { .fs = "ext4" };
FIXTURE_VARIANT_ADD(share, xfs) { .fs = "xfs" };
FIXTURE_VARIANT_ADD(share, btrfs) { .fs = "btrfs" };

FIXTURE_SETUP(share)
{
	suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH, &self->sb, &self->tf);
	if (self->tf)
		self->tf->reads = testfile_reads_briefly;
}

FIXTURE_TEARDOWN(share)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

/* --- a limited share: SANDBOX_OK, or why not --------------------------------------------- */

static enum sandbox_result lacks(const struct reason *why, const char *what)
{
	return because(why, SANDBOX_UNSUPPORTED, "this kernel has no %s: %s", what,
		       strerror(errno));
}

/* tmpfs with a limit for everybody but root. */
static enum sandbox_result limit_tmpfs(const struct sandbox *sb, const char *dir,
				       const struct reason *why)
{
	char options[64];

	(void)sb;
	snprintf(options, sizeof(options), "usrquota,usrquota_block_hardlimit=%d", SHARE);
	if (mount("share", dir, "tmpfs", 0, options))
		return lacks(why, "CONFIG_TMPFS_QUOTA (Linux 6.6)");
	return SANDBOX_OK;
}

/* 0 or errno. */
static int set_quota(const char *dir)
{
	struct if_dqblk quota = {
		.dqb_bhardlimit = SHARE / QIF_DQBLKSIZE, .dqb_valid = QIF_BLIMITS,
	};
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0 || syscall(SYS_quotactl_fd, fd, QCMD(Q_SETQUOTA, USRQUOTA), OWNER, &quota))
		err = errno;
	close(fd);
	return err;
}

/* A disk of its own, on which one user has a quota. */
static enum sandbox_result limit_disk(const char *recipe, const struct sandbox *sb,
				      const char *dir, const struct reason *why)
{
	enum sandbox_result result;
	char image[PATH_MAX];

	snprintf(image, sizeof(image), "%.4000s/image", sb->dir);
	result = backing_mount_disk(recipe, image, image, dir, why->text, why->len);
	unlink(image);
	if (result != SANDBOX_OK)
		return result;
	errno = set_quota(dir);
	if (errno == ENOSYS)
		return lacks(why, "CONFIG_QUOTACTL");
	return errno ? because(why, SANDBOX_BROKEN, "quotactl(2): %s", strerror(errno)) :
		       SANDBOX_OK;
}

static enum sandbox_result limit_ext4(const struct sandbox *sb, const char *dir,
				      const struct reason *why)
{
	return limit_disk(BACKING_QUOTA_EXT4, sb, dir, why);
}

static enum sandbox_result limit_xfs(const struct sandbox *sb, const char *dir,
				     const struct reason *why)
{
	return limit_disk(BACKING_QUOTA_XFS, sb, dir, why);
}

/* Group 0 is that of the subvolume itself. 0 or errno. */
static int limit_subvolume(const char *dir, __u64 limit)
{
	struct btrfs_ioctl_qgroup_limit_args args = {
		.lim = { .flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = limit },
	};
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0 || ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &args))
		err = errno;
	close(fd);
	return err;
}

/* btrfs limits subvolumes, whoever writes: @dir becomes one, in the place of an empty directory. */
static enum sandbox_result limit_btrfs(const struct sandbox *sb, const char *dir,
				       const struct reason *why)
{
	struct btrfs_ioctl_quota_ctl_args quota = { .cmd = BTRFS_QUOTA_CTL_ENABLE };
	struct btrfs_ioctl_vol_args volume = { .name = "share" };
	int fd, err = 0;

	fd = open(sb->backing, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, BTRFS_IOC_QUOTA_CTL, &quota) || rmdir(dir) ||
	    ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &volume))
		err = errno;
	close(fd);
	errno = err ?: limit_subvolume(dir, SHARE);
	return errno ? lacks(why, "quota groups of btrfs") : SANDBOX_OK;
}

/* It may count what was freed for a while yet. */
static int lift_btrfs(const char *dir)
{
	return limit_subvolume(dir, ~0ULL);
}

static const struct share {
	const char *fs;
	enum sandbox_result (*limit)(const struct sandbox *sb, const char *dir,
				     const struct reason *why);
	int (*lift)(const char *dir);	/* NULL: room is made instead */
	uid_t uid;
} shares[] = {
	{ "tmpfs", limit_tmpfs, NULL, OWNER },
	{ "ext4", limit_ext4, NULL, OWNER },
	{ "xfs", limit_xfs, NULL, OWNER },
	{ "btrfs", limit_btrfs, lift_btrfs, 0 },
};

static const struct share *share_of(const char *fs)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shares); i++)
		if (!strcmp(shares[i].fs, fs))
			return &shares[i];
	return NULL;
}

/* --- using it -------------------------------------------------------------------------- */

/* Use up the share of @uid, by a file like those that may still grow. Descriptor or -1. */
static int use_up(const char *dir, uid_t uid)
{
	char path[PATH_MAX], *block = calloc(1, page());
	off_t end = 0;
	int fd;

	snprintf(path, sizeof(path), "%.4000s/filler", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && fchown(fd, uid, -1))
		end = -1;
	while (block && end >= 0 && end < 4 * SHARE)
		end = pwrite(fd, block, page(), end) == page() ? end + page() : -1;
	free(block);
	return fd;
}

/* A signal that a store by the owner of the share raises at @at, or 0. In a child: @f is shared. */
static int raised(struct __test_metadata *_metadata, const struct share *share, char *at,
		  struct fault *f)
{
	int status;
	pid_t pid;

	memset(f, 0, sizeof(*f));
	pid = fork();
	if (!pid) {
		if (share->uid && setresuid(share->uid, share->uid, share->uid))
			_exit(1);
		fault_copy(at, "x", 1, f);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	return f->signo;
}

/* E6 */
TEST_F(share, store_beyond_the_share_raises_sigbus)
{
	const struct action *store = action_find("store");
	const struct share *share = share_of(variant->fs);
	char dir[PATH_MAX], path[PATH_MAX], *probe, *hole;
	struct testfile *tf = self->tf;
	char text[256];
	const struct reason why = { text, sizeof(text) };
	struct fault *f;
	bool faults;
	int filler;

	ASSERT_NE(NULL, share);
	snprintf(dir, sizeof(dir), "%.4000s/share", self->sb.backing);
	ASSERT_EQ(0, mkdir(dir, 0755));
	SUITE_NEED(share->limit(&self->sb, dir, &why), text);
	f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, f);
	open_file(_metadata, tf, "share/file");
	ASSERT_EQ(0, fchown(fd_of(tf, B), share->uid, -1));
	ASSERT_EQ(300, testfile_write(tf, SELF, MS, store, 300, page() - 100));
	ASSERT_EQ(0, fsync(fd_of(tf, B)));
	snprintf(path, sizeof(path), "%.4000s/probe", dir);
	probe = map_half_empty(path);
	ASSERT_NE(MAP_FAILED, probe);
	ASSERT_EQ(0, chown(path, share->uid, -1));
	filler = use_up(dir, share->uid);

	hole = tf->actors[SELF].views[MS].map + 3 * page() + 200;
	faults = raised(_metadata, share, probe + page(), f);
	if (faults) {
		EXPECT_EQ(SIGBUS, raised(_metadata, share, hole, f));
		EXPECT_EQ(BUS_ADRERR, f->code);
		EXPECT_EQ((void *)hole, f->addr);
		EXPECT_EQ(0U, check_data(tf));
	}
	drain(filler);
	if (share->lift)
		ASSERT_EQ(0, share->lift(dir));
	EXPECT_EQ(0, raised(_metadata, share, hole, f));
	EXPECT_EQ(300, testfile_write(tf, SELF, MS, store, 300, 3 * page() + 200));
	EXPECT_EQ(0U, testfile_check_all(tf));
	tf->cases++;
	expect_engaged(_metadata, tf);

	munmap(probe, 2 * page());
	testfile_remove(tf);
	umount2(dir, MNT_DETACH);
	if (!faults)
		SKIP(return, "%s takes a store beyond the share", variant->fs);
}

SUITE_MAIN()
