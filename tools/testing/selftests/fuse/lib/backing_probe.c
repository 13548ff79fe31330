// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backing_probe.h"
#include "reason.h"

/* Long ago: whatever the clock says now is later. */
static const struct timespec long_ago = { .tv_sec = 1000000000 };

/* A file without a name, one page long. Returns a descriptor or a negative errno. */
static int probe_file(const struct sandbox *sb, int flags)
{
	char path[PATH_MAX];
	int fd, err;

	snprintf(path, sizeof(path), "%.4000s/probe-%d", sb->backing, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
	err = -errno;
	/* A refusal of O_DIRECT may leave the file behind. */
	unlink(path);
	if (fd < 0)
		return err;
	if (!ftruncate(fd, sysconf(_SC_PAGESIZE)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static enum sandbox_result broken(const struct reason *why, const struct sandbox *sb, int err)
{
	return because(why, SANDBOX_BROKEN, "probing %s: %s", sb->fs, strerror(-err));
}

/* A store, and what makes its time stamp due */
static int store_and_sync(char *map, char byte)
{
	__atomic_store_n(map, byte, __ATOMIC_RELAXED);
	return msync(map, 1, MS_SYNC) ? -errno : 0;
}

/* 1: mtime moved, 0: not, -errno. It is the store to a cleaned page that tmpfs forgets. */
static int second_store_moves_mtime(int fd, char *map)
{
	const struct timespec old[2] = { long_ago, long_ago };
	struct stat st;
	int err = store_and_sync(map, '1');

	if (err)
		return err;
	if (futimens(fd, old))
		return -errno;
	err = store_and_sync(map, '2');
	if (err)
		return err;
	if (fstat(fd, &st))
		return -errno;
	return st.st_mtim.tv_sec != long_ago.tv_sec;
}

enum sandbox_result backing_probe_times(const struct sandbox *sb, char *text, size_t len)
{
	const struct reason why = { text, len };
	int fd = probe_file(sb, 0), moves;
	char *map;

	if (fd < 0)
		return broken(&why, sb, fd);
	map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	moves = map == MAP_FAILED ? -errno : second_store_moves_mtime(fd, map);
	if (map != MAP_FAILED)
		munmap(map, 1);
	close(fd);
	if (moves < 0)
		return broken(&why, sb, moves);
	if (!moves)
		return because(&why, SANDBOX_UNSUPPORTED,
			       "%s by itself does not move mtime on a mapped store", sb->fs);
	return SANDBOX_OK;
}

enum sandbox_result backing_probe_direct(const struct sandbox *sb, char *text, size_t len)
{
	const struct reason why = { text, len };
	int fd = probe_file(sb, O_DIRECT);

	if (fd == -EINVAL)
		return because(&why, SANDBOX_UNSUPPORTED, "%s has no O_DIRECT", sb->fs);
	if (fd < 0)
		return broken(&why, sb, fd);
	close(fd);
	return SANDBOX_OK;
}

enum sandbox_result backing_probe_fallocate(const struct sandbox *sb, int mode,
					    char *text, size_t len)
{
	const struct reason why = { text, len };
	int fd = probe_file(sb, 0), err;

	if (fd < 0)
		return broken(&why, sb, fd);
	err = fallocate(fd, mode, 0, sysconf(_SC_PAGESIZE)) ? -errno : 0;
	close(fd);
	if (err == -EOPNOTSUPP)
		return because(&why, SANDBOX_UNSUPPORTED, "%s has no such fallocate(2)", sb->fs);
	return err ? broken(&why, sb, err) : SANDBOX_OK;
}
