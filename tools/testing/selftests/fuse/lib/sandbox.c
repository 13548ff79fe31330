// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backing.h"
#include "guardian.h"
#include "mountinfo.h"
#include "namespace.h"
#include "reason.h"
#include "sandbox.h"

#define WALK_FDS 16

static bool may_administer(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[0].effective & (1U << CAP_SYS_ADMIN);
}

static enum sandbox_result check_device(const struct reason *why)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return SANDBOX_OK;
	}
	if (errno == ENOENT)
		return because(why, SANDBOX_UNSUPPORTED,
			       "no /dev/fuse: modprobe fuse, or mknod /dev/fuse c 10 229");
	if (errno == ENODEV || errno == ENXIO)
		return because(why, SANDBOX_UNSUPPORTED,
			       "/dev/fuse has no driver: the kernel needs CONFIG_FUSE_FS (modprobe fuse)");
	return because(why, SANDBOX_UNSUPPORTED, "/dev/fuse cannot be opened: %s",
		       strerror(errno));
}

enum sandbox_result sandbox_possible(char *why, size_t len)
{
	const struct reason reason = { why, len };

	if (geteuid())
		return because(&reason, SANDBOX_UNSUPPORTED, "not root: run as root");
	if (!may_administer())
		return because(&reason, SANDBOX_UNSUPPORTED,
			       "root without CAP_SYS_ADMIN: give it to the container or run outside");
	return check_device(&reason);
}

enum sandbox_result sandbox_enter(char *why, size_t len)
{
	const struct reason reason = { why, len };
	enum sandbox_result result;
	int err;

	if (namespace_base())
		return SANDBOX_OK;
	result = sandbox_possible(why, len);
	if (result != SANDBOX_OK)
		return result;
	if (namespace_enter(why, len))
		return SANDBOX_BROKEN;
	err = backing_prepare();
	if (!err)
		err = guardian_start(namespace_fusectl());
	if (err)
		return because(&reason, SANDBOX_BROKEN, "starting the guardian: %s",
			       strerror(-err));
	return SANDBOX_OK;
}

static enum sandbox_result make_directories(struct sandbox *sb, const char *root)
{
	unsigned int number = namespace_unique();

	snprintf(sb->dir, sizeof(sb->dir), "%s/sandbox%u", namespace_base(), number);
	if (mkdir(sb->dir, 0755))
		return because(REASON_OF(sb), SANDBOX_BROKEN, "%s: %s", sb->dir, strerror(errno));
	snprintf(sb->mnt, sizeof(sb->mnt), "%s/sandbox%u/mnt", namespace_base(), number);
	if (mkdir(sb->mnt, 0755))
		return because(REASON_OF(sb), SANDBOX_BROKEN, "%s: %s", sb->mnt, strerror(errno));
	snprintf(sb->backing, sizeof(sb->backing), "%s/sandbox%u", root, number);
	if (mkdir(sb->backing, 0755))
		return because(REASON_OF(sb), SANDBOX_BROKEN, "%s: %s", sb->backing,
				       strerror(errno));
	return SANDBOX_OK;
}

static enum sandbox_result start_failed(struct sandbox *sb, int err)
{
	if (err == -ENODEV)
		return because(REASON_OF(sb), SANDBOX_UNSUPPORTED,
			       "this kernel has no CONFIG_FUSE_FS");
	return because(REASON_OF(sb), SANDBOX_BROKEN, "starting the server: %s", strerror(-err));
}

/*
 * The guardian watches the directory before anything is mounted in it, and learns
 * the connection before a test can hold it busy beyond its unmounting.
 */
static enum sandbox_result start_server(struct sandbox *sb, const struct server_options *opt)
{
	struct server_options options = *opt;
	int err;

	if (!options.stack_depth)
		options.stack_depth = 1 + backing_stack_depth(sb->fs);
	err = server_start(&sb->server, sb->backing, sb->mnt, &options);
	if (err) {
		sb->server = NULL;
		return start_failed(sb, err);
	}
	err = guardian_note_connection(sb->guardian, server_connection(sb->server));
	if (err)
		return because(REASON_OF(sb), SANDBOX_BROKEN, "telling the guardian: %s",
				       strerror(-err));
	return SANDBOX_OK;
}

static enum sandbox_result create(struct sandbox *sb, const struct sandbox_options *opt)
{
	char root[PATH_MAX / 2];
	enum sandbox_result result;
	int err;

	result = backing_get(opt->fs, root, sizeof(root), sb->why, sizeof(sb->why));
	if (result != SANDBOX_OK)
		return result;
	result = make_directories(sb, root);
	if (result != SANDBOX_OK || opt->unmounted)
		return result;
	err = guardian_watch(&sb->guardian, sb->dir);
	if (err) {
		sb->guardian = NULL;
		return because(REASON_OF(sb), SANDBOX_BROKEN, "no guardian: %s", strerror(-err));
	}
	return start_server(sb, &opt->server);
}

enum sandbox_result sandbox_create(struct sandbox *sb, const struct sandbox_options *opt)
{
	enum sandbox_result result;

	memset(sb, 0, sizeof(*sb));
	if (!namespace_base())
		return because(REASON_OF(sb), SANDBOX_BROKEN, "sandbox_enter() was not called");
	sb->fs = opt->fs;
	sb->owner = getpid();
	result = create(sb, opt);
	if (result != SANDBOX_OK)
		sandbox_destroy(sb);
	return result;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	/* What a test made immutable or still has mounted goes with the namespace. */
	remove(path);
	return 0;
}

static void remove_tree(char *path)
{
	if (path[0])
		nftw(path, remove_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	path[0] = '\0';
}

/* What a test mounted and left, an overlay over the FUSE mount perhaps. */
static void detach_below(const struct sandbox *sb)
{
	struct mount_entry mount;

	while (mountinfo_last_below(sb->dir, &mount) && strcmp(mount.point, sb->mnt))
		if (umount2(mount.point, MNT_DETACH | UMOUNT_NOFOLLOW))
			return;
}

void sandbox_destroy(struct sandbox *sb)
{
	/* A forked child got here by a failed assertion; the owner still needs it all. */
	if (!sb->fs || sb->owner != getpid())
		return;
	detach_below(sb);
	server_stop(sb->server);
	sb->server = NULL;
	guardian_release(sb->guardian);
	sb->guardian = NULL;
	remove_tree(sb->backing);
	remove_tree(sb->dir);
	sb->mnt[0] = '\0';
	sb->fs = NULL;
}

enum sandbox_result sandbox_remount(struct sandbox *sb, const struct server_options *opt)
{
	enum sandbox_result result;

	if (!sb->guardian || sb->owner != getpid())
		return because(REASON_OF(sb), SANDBOX_BROKEN, "remount of what is not mounted");
	server_stop(sb->server);
	sb->server = NULL;
	result = start_server(sb, opt);
	if (result != SANDBOX_OK)
		sandbox_destroy(sb);
	return result;
}
