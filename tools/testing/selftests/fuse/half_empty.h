/* SPDX-License-Identifier: GPL-2.0 */
/* Files with a hole, for the programs about stores for which there is no block. */
#ifndef FUSE_SELFTEST_HALF_EMPTY_H
#define FUSE_SELFTEST_HALF_EMPTY_H

#include <fcntl.h>
#include <sys/mman.h>

#include "suite_file.h"

/* A file of one block of data, the first page, and a hole, the second. -1 if not to be made. */
static inline char *map_half_empty(const char *path)
{
	char *map = MAP_FAILED;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && pwrite(fd, "d", 1, 0) == 1 && !ftruncate(fd, 2 * page()) && !fsync(fd))
		map = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return map;
}

/* All but the hole: tmpfs needs a page to show even a load from that. */
static inline unsigned int check_data(struct testfile *tf)
{
	return testfile_check(tf, 3 * page(), 0) + testfile_check(tf, 3 * page(), 5 * page());
}

/* Give up the blocks of what filled the file system, and close it. */
static inline void drain(int filler)
{
	/* Some file systems have the blocks back only once the change is on disk. */
	if (filler >= 0 && !ftruncate(filler, 0))
		syncfs(filler);
	close(filler);
}

#endif /* FUSE_SELFTEST_HALF_EMPTY_H */
