// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backing.h"
#include "loop.h"
#include "namespace.h"
#include "reason.h"

#define MAX_MKFS_ARGS 20
#define MIB (1024LL * 1024)

enum backing_kind { ON_TMPFS, ON_IMAGE, ON_OVERLAY };

/*
 * What it takes to make a file system. Nothing is discarded, zeroed or
 * initialised in the background: the image is a fresh sparse file.
 */
struct recipe {
	const char *fs;
	const char *type;		/* for mount(2), if it is not fs */
	enum backing_kind kind;
	const char *config;		/* the kernel's option for it */
	const char *option;		/* ... and for quotas, if it has them */
	const char *package;		/* where mkfs comes from */
	long long size;
	const char *mount_data;
	const char *mkfs[MAX_MKFS_ARGS];
};

static const struct recipe recipes[] = {
	{ .fs = "tmpfs", .kind = ON_TMPFS, .config = "CONFIG_TMPFS" },
	{
		.fs = "ext4", .kind = ON_IMAGE, .config = "CONFIG_EXT4_FS",
		.package = "e2fsprogs", .size = 256 * MIB,
		.mount_data = "noinit_itable",
		/* Only 256-byte inodes have room for nanoseconds. */
		.mkfs = { "mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", "-m", "1",
			  "-N", "8192", "-J", "size=4",
			  "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1" },
	}, {
		/* mkfs.xfs refuses less than 300 MB */
		.fs = "xfs", .kind = ON_IMAGE, .config = "CONFIG_XFS_FS",
		.package = "xfsprogs", .size = 320 * MIB,
		.mkfs = { "mkfs.xfs", "-q", "-f", "-K" },
	}, {
		/* and mkfs.btrfs less than 109 MiB */
		.fs = "btrfs", .kind = ON_IMAGE, .config = "CONFIG_BTRFS_FS",
		.package = "btrfs-progs", .size = 256 * MIB,
		.mkfs = { "mkfs.btrfs", "-q", "-f", "-K", "-m", "single", "-d", "single",
			  "-s", "4096" },
	},
	{ .fs = "overlayfs", .kind = ON_OVERLAY, .config = "CONFIG_OVERLAY_FS" },
	{
		/* Writes nothing but what a test makes it write. */
		.fs = BACKING_PLAIN_DISK, .type = "ext4", .kind = ON_IMAGE,
		.config = "CONFIG_EXT4_FS", .package = "e2fsprogs", .size = 16 * MIB,
		.mount_data = "noinit_itable",
		.mkfs = { "mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", "-N", "64",
			  "-O", "^has_journal", "-E", "nodiscard,lazy_itable_init=1" },
	}, {
		.fs = BACKING_QUOTA_EXT4, .type = "ext4", .kind = ON_IMAGE,
		.config = "CONFIG_EXT4_FS", .package = "e2fsprogs", .size = 16 * MIB,
		.option = "CONFIG_QFMT_V2",
		.mount_data = "noinit_itable,usrquota",
		.mkfs = { "mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", "-N", "64",
			  "-O", "quota", "-J", "size=4",
			  "-E", "nodiscard,lazy_itable_init=1,quotatype=usrquota" },
	}, {
		.fs = BACKING_QUOTA_XFS, .type = "xfs", .kind = ON_IMAGE,
		.config = "CONFIG_XFS_FS", .package = "xfsprogs", .size = 320 * MIB,
		.option = "CONFIG_XFS_QUOTA",
		.mount_data = "usrquota",
		.mkfs = { "mkfs.xfs", "-q", "-f", "-K" },
	},
};

const char *const sandbox_filesystems[] = {
	"tmpfs", "ext4", "xfs", "btrfs", "overlayfs", NULL
};

/* Number of the mount plus one; 0: not made yet. Shared by the program's processes. */
static atomic_uint *made;

int backing_prepare(void)
{
	made = mmap(NULL, ARRAY_SIZE(recipes) * sizeof(*made), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return made == MAP_FAILED ? -errno : 0;
}

static const struct recipe *find_recipe(const char *fs)
{
	const struct recipe *recipe;

	for (recipe = recipes; recipe < recipes + ARRAY_SIZE(recipes); recipe++)
		if (!strcmp(recipe->fs, fs))
			return recipe;
	return NULL;
}

static enum sandbox_result mount_failed(const struct recipe *recipe, const struct reason *why)
{
	if (errno == ENODEV)
		return because(why, SANDBOX_UNSUPPORTED, "%s: this kernel has no %s",
			       recipe->fs, recipe->config);
	/* Not known at all, or a module that is not there. */
	if (recipe->option && (errno == EINVAL || errno == ESRCH))
		return because(why, SANDBOX_UNSUPPORTED, "%s: this kernel has no %s",
			       recipe->fs, recipe->option);
	return because(why, SANDBOX_BROKEN, "mounting %s: %s", recipe->fs, strerror(errno));
}

static enum sandbox_result loop_failed(const struct recipe *recipe, int err,
				       const struct reason *why)
{
	if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
		return because(why, SANDBOX_UNSUPPORTED,
			       "%s: no /dev/loop-control or loop device (CONFIG_BLK_DEV_LOOP)",
			       recipe->fs);
	if (err == -EINVAL || err == -ENOTTY)
		return because(why, SANDBOX_UNSUPPORTED,
			       "%s: this kernel has no LOOP_CONFIGURE (Linux 5.8)", recipe->fs);
	return because(why, SANDBOX_BROKEN, "%s: attaching a loop device: %s", recipe->fs,
		       strerror(-err));
}

/* mkfs lives in a directory that a plain user's PATH, kept by su, does not have. */
static int spawn_mkfs(pid_t *pid, const struct recipe *recipe, char *const *argv)
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin" };
	posix_spawn_file_actions_t actions;
	char path[64];
	size_t i;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(pid, recipe->mkfs[0], &actions, NULL, argv, environ);
	for (i = 0; err == ENOENT && i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], recipe->mkfs[0]);
		err = posix_spawn(pid, path, &actions, NULL, argv, environ);
	}
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

static enum sandbox_result run_mkfs(const struct recipe *recipe, char *image,
				    const struct reason *why)
{
	char *argv[MAX_MKFS_ARGS + 2];
	int status, err, n = 0;
	pid_t pid;

	while (recipe->mkfs[n]) {
		argv[n] = (char *)recipe->mkfs[n];
		n++;
	}
	argv[n++] = image;
	argv[n] = NULL;
	err = spawn_mkfs(&pid, recipe, argv);
	if (err == -ENOENT)
		return because(why, SANDBOX_UNSUPPORTED, "%s: no %s (package %s)", recipe->fs,
			       recipe->mkfs[0], recipe->package);
	if (err)
		return because(why, SANDBOX_BROKEN, "%s: %s", recipe->mkfs[0], strerror(-err));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return because(why, SANDBOX_BROKEN, "waiting for %s: %s",
				       recipe->mkfs[0], strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return because(why, SANDBOX_BROKEN, "%s failed, wait status 0x%x",
			       recipe->mkfs[0], status);
	return SANDBOX_OK;
}

static enum sandbox_result mount_image(const struct recipe *recipe, int image, const char *name,
				       const char *root, const struct reason *why)
{
	enum sandbox_result result = SANDBOX_OK;
	int device;
	char path[32];

	device = loop_attach(image, name, path, sizeof(path));
	if (device < 0)
		return loop_failed(recipe, device, why);
	if (mount(path, root, recipe->type ?: recipe->fs, 0, recipe->mount_data))
		result = mount_failed(recipe, why);
	close(device);
	return result;
}

static enum sandbox_result make_image(const struct recipe *recipe, char *path,
				      const struct reason *why)
{
	int image = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), failed;

	if (image < 0)
		return because(why, SANDBOX_BROKEN, "%s: %s", path, strerror(errno));
	failed = ftruncate(image, recipe->size);
	close(image);
	if (failed)
		return because(why, SANDBOX_BROKEN, "%s: %s", path, strerror(errno));
	return run_mkfs(recipe, path, why);
}

/* The name of the image is gone before it is used; the loop device keeps its contents. */
static enum sandbox_result make_on_image(const struct recipe *recipe, const char *root,
					 unsigned int number, const struct reason *why)
{
	enum sandbox_result result;
	char path[128], name[64];
	int image;

	snprintf(name, sizeof(name), NAMESPACE_TAG "-%d-%u", namespace_program(), number);
	snprintf(path, sizeof(path), "%s/%s", namespace_base(), name);
	result = make_image(recipe, path, why);
	image = result == SANDBOX_OK ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (image >= 0)
		result = mount_image(recipe, image, name, root, why);
	else if (result == SANDBOX_OK)
		result = because(why, SANDBOX_BROKEN, "%s: %s", path, strerror(errno));
	unlink(path);
	close(image);
	return result;
}

enum sandbox_result backing_mount_disk(const char *kind, const char *made_at, const char *used_at,
				       const char *root, char *why_text, size_t why_len)
{
	const struct recipe *recipe = find_recipe(kind);
	const struct reason why = { why_text, why_len };
	enum sandbox_result result;
	char path[PATH_MAX];
	int image;

	if (!recipe)
		return because(&why, SANDBOX_BROKEN, "unknown kind of disk \"%s\"", kind);
	snprintf(path, sizeof(path), "%s", made_at);
	result = make_image(recipe, path, &why);
	if (result != SANDBOX_OK)
		return result;
	image = open(used_at, O_RDWR | O_CLOEXEC);
	if (image < 0)
		return because(&why, SANDBOX_BROKEN, "%s: %s", used_at, strerror(errno));
	result = mount_image(recipe, image, NAMESPACE_TAG "-disk", root, &why);
	close(image);
	return result;
}

static enum sandbox_result make_overlay(const struct recipe *recipe, const char *root,
					unsigned int number, const struct reason *why)
{
	static const char *const parts[] = { "lower", "upper", "work" };
	char below[PATH_MAX / 8], dir[PATH_MAX / 4], data[PATH_MAX];
	enum sandbox_result result;
	size_t i;

	result = backing_get("ext4", below, sizeof(below), why->text, why->len);
	if (result != SANDBOX_OK)
		return result;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(dir, sizeof(dir), "%s/%s%u", below, parts[i], number);
		if (mkdir(dir, 0755))
			return because(why, SANDBOX_BROKEN, "%s: %s", dir, strerror(errno));
	}
	snprintf(data, sizeof(data), "lowerdir=%s/lower%u,upperdir=%s/upper%u,workdir=%s/work%u",
		 below, number, below, number, below, number);
	/* The file system is called overlay; overlayfs is how people say it. */
	if (mount(NAMESPACE_TAG, root, "overlay", 0, data))
		return mount_failed(recipe, why);
	return SANDBOX_OK;
}

static enum sandbox_result make(const struct recipe *recipe, const char *root,
				unsigned int number, const struct reason *why)
{
	switch (recipe->kind) {
	case ON_TMPFS:
		if (mount(NAMESPACE_TAG, root, "tmpfs", 0, "mode=0755"))
			return mount_failed(recipe, why);
		return SANDBOX_OK;
	case ON_IMAGE:
		return make_on_image(recipe, root, number, why);
	case ON_OVERLAY:
		return make_overlay(recipe, root, number, why);
	}
	return because(why, SANDBOX_BROKEN, "%s: no recipe", recipe->fs);
}

static void root_path(char *root, size_t len, const struct recipe *recipe, unsigned int number)
{
	snprintf(root, len, "%s/%s-%u", namespace_base(), recipe->fs, number);
}

/*
 * A mount is published when it is complete, under a number of its own: whoever
 * is killed while making one leaves something unused that ends with the
 * namespace, never a half-made file system for the next test.
 */
enum sandbox_result backing_get(const char *fs, char *root, size_t root_len,
				char *why_text, size_t why_len)
{
	const struct reason why = { why_text, why_len };
	const struct recipe *recipe = find_recipe(fs);
	enum sandbox_result result;
	unsigned int number;

	if (!recipe)
		return because(&why, SANDBOX_BROKEN, "unknown file system \"%s\"", fs);
	number = atomic_load(&made[recipe - recipes]);
	if (number) {
		root_path(root, root_len, recipe, number - 1);
		return SANDBOX_OK;
	}
	number = namespace_unique();
	root_path(root, root_len, recipe, number);
	if (mkdir(root, 0755))
		return because(&why, SANDBOX_BROKEN, "%s: %s", root, strerror(errno));
	result = make(recipe, root, number, &why);
	if (result == SANDBOX_OK)
		atomic_store(&made[recipe - recipes], number + 1);
	else
		rmdir(root);
	return result;
}

unsigned int backing_stack_depth(const char *fs)
{
	const struct recipe *recipe = find_recipe(fs);

	return recipe && recipe->kind == ON_OVERLAY ? 1 : 0;
}
