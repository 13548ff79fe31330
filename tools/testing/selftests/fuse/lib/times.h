/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timestamps, at nanosecond resolution and without sleeping: tests set a fixed
 * old time and look whether it moved.
 */
#ifndef FUSE_SELFTEST_TIMES_H
#define FUSE_SELFTEST_TIMES_H

#include <stdbool.h>
#include <time.h>

struct times {
	struct timespec mtime, ctime, atime;
};

/* The ways to ask; statx(2) names the last two. */
enum times_look {
	LOOK_FSTAT,
	LOOK_STAT,
	LOOK_FORCE_SYNC,
	LOOK_DONT_SYNC,
};

extern const char *const times_look_names[];

/* Long ago and at an odd nanosecond, so that a truncated or invented value shows. */
extern const struct timespec times_old;

/*
 * What FUSE says of the file at @path, open at @fd. All zeroes, which compares
 * unequal to everything real, on failure. Subject to FUSE_TEST_FAULT=times.
 */
struct times times_shown(int fd, const char *path, enum times_look how);

/* What the server would answer: the backing file at @fd. Never disturbs what FUSE has cached. */
struct times times_answered(int fd);

/* Set mtime and atime of @fd to times_old. 0 or -errno. */
int times_set_old(int fd);

/* mtime and ctime: reading may move atime. */
bool times_same(struct times a, struct times b);
bool times_equal(struct timespec a, struct timespec b);
bool times_later(struct timespec a, struct timespec b);
/* Both are later than they were. */
bool times_moved(struct times now, struct times old);

/*
 * Until the coarse clock that file systems read has passed @t, so that a new
 * ctime differs; a tick is a few milliseconds.
 */
void times_wait_tick(struct timespec t);

/* One diagnostic line. */
void times_report(const char *what, struct times t);

#endif /* FUSE_SELFTEST_TIMES_H */
