// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"
#include "times.h"

const char *const times_look_names[] = {
	"fstat", "stat", "statx-force-sync", "statx-dont-sync",
};

const struct timespec times_old = { 1000000000, 123456789 };

/* Deliberate fault: every answer of FUSE is a second earlier than the last one */
static long fault_seconds(void)
{
	const char *fault = getenv("FUSE_TEST_FAULT");
	static long looks;

	return fault && !strcmp(fault, "times") ? --looks : 0;
}

struct times times_shown(int fd, const char *path, enum times_look how)
{
	static const int flags[] = {
		[LOOK_FSTAT] = AT_EMPTY_PATH,
		[LOOK_STAT] = 0,
		[LOOK_FORCE_SYNC] = AT_STATX_FORCE_SYNC,
		[LOOK_DONT_SYNC] = AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
	};
	bool by_fd = flags[how] & AT_EMPTY_PATH;
	long shift = fault_seconds();
	struct statx stx = {};

	if (statx(by_fd ? fd : AT_FDCWD, by_fd ? "" : path, flags[how], STATX_BASIC_STATS, &stx))
		return (struct times) {};
	return (struct times) {
		{ stx.stx_mtime.tv_sec + shift, stx.stx_mtime.tv_nsec },
		{ stx.stx_ctime.tv_sec + shift, stx.stx_ctime.tv_nsec },
		{ stx.stx_atime.tv_sec + shift, stx.stx_atime.tv_nsec },
	};
}

struct times times_answered(int fd)
{
	struct stat st = {};

	fstat(fd, &st);
	return (struct times) { st.st_mtim, st.st_ctim, st.st_atim };
}

int times_set_old(int fd)
{
	const struct timespec both[2] = { times_old, times_old };

	return futimens(fd, both) ? -errno : 0;
}

bool times_equal(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool times_later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

bool times_same(struct times a, struct times b)
{
	return times_equal(a.mtime, b.mtime) && times_equal(a.ctime, b.ctime);
}

bool times_moved(struct times now, struct times old)
{
	return times_later(now.mtime, old.mtime) && times_later(now.ctime, old.ctime);
}

void times_wait_tick(struct timespec t)
{
	struct timespec now;

	do {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (!times_later(now, t));
}

void times_report(const char *what, struct times t)
{
	report_line("  %-22s mtime %lld.%09ld  ctime %lld.%09ld", what,
		    (long long)t.mtime.tv_sec, t.mtime.tv_nsec,
		    (long long)t.ctime.tv_sec, t.ctime.tv_nsec);
}
