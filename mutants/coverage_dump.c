// SPDX-License-Identifier: GPL-2.0
/*
 * The last program of a coverage run: prints what gcov counted in the guest's
 * kernel, as hexadecimal lines that mutants/coverage turns into files again.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug"
#define BYTES_A_LINE 64
#define OPEN_FILES 16

static int files;

static int print_file(const char *path)
{
	unsigned char bytes[BYTES_A_LINE];
	ssize_t len, i;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -errno;
	printf("# gcda %s\n", path);
	while ((len = read(fd, bytes, sizeof(bytes))) > 0) {
		printf("# hex ");
		for (i = 0; i < len; i++)
			printf("%02x", bytes[i]);
		printf("\n");
	}
	close(fd);
	files++;
	return len < 0 ? -EIO : 0;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *dot = strrchr(path, '.');

	(void)st;
	(void)ftw;
	if (type == FTW_F && dot && strcmp(dot, ".gcda") == 0)
		return print_file(path);
	return 0;
}

int main(void)
{
	int err;

	printf("TAP version 13\n1..1\n");
	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL) && errno != EBUSY) {
		printf("not ok 1 debugfs: %s\n", strerror(errno));
		return 1;
	}
	err = nftw(DEBUGFS "/gcov", visit, OPEN_FILES, FTW_PHYS);
	if (err || !files) {
		printf("not ok 1 %d files, error %d\n", files, err);
		return 1;
	}
	printf("ok 1 counters of %d files\n", files);
	return 0;
}
