/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fio(1) as a child of the tester: is it there, can it do a job, what did it say.
 * Jobs are text as in a job file; they come to fio through its standard input.
 */
#ifndef FUSE_SELFTEST_FIO_H
#define FUSE_SELFTEST_FIO_H

#include <sys/types.h>

/* Jobs keep in step by weights of flow=, which older versions take for something else. */
#define FIO_NEEDS_MAJOR	3
#define FIO_NEEDS_MINOR	23

/* Why fio cannot be used at all, or NULL. Asks once in a program; static storage. */
const char *fio_missing(void);

/*
 * Why fio or the kernel cannot run @job, for want of an engine that it names, or
 * NULL. Static storage.
 */
const char *fio_lacks(const char *job);

struct fio_run {
	pid_t pid;
	int said;	/* what it printed, a nameless file */
};

/*
 * Start fio on @job, in directory @dir, with what setenv(3) has prepared for it and
 * more options, NULL-terminated, or NULL. It dies with the calling thread. 0, or
 * -errno; the run ends with fio_wait().
 */
int fio_start(struct fio_run *run, const char *job, const char *dir, const char *const *more);

/*
 * Wait for the end of it: fio's exit status, 128 + the signal that killed it, or
 * -errno. Unless that is 0, what it said about the data is reported.
 */
int fio_wait(struct fio_run *run);

#endif /* FUSE_SELFTEST_FIO_H */
