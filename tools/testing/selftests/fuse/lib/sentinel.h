/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread whose life is the life of its process, told to another process by a
 * robust mutex in shared memory.
 *
 * A process that serves its own FUSE mount can wait for itself while it dies: in
 * unmapping, in closing, or in a request that is out. A pidfd or a pipe tells of
 * the death after all that. The kernel gives up robust mutexes before it, when a
 * thread begins to exit; so the holder must be a thread that has nothing to do
 * with files, and that a kill of the process therefore always reaches.
 */
#ifndef FUSE_SELFTEST_SENTINEL_H
#define FUSE_SELFTEST_SENTINEL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

struct sentinel {
	pthread_mutex_t *life;
	pthread_t thread;
	sem_t ready;
	sem_t stop;
};

/* Make @life, in shared memory, ready to be held by a sentinel. 0 or -errno. */
int sentinel_prepare(pthread_mutex_t *life);

/* From the return on @life is held by a thread of the caller's process. 0 or -errno. */
int sentinel_start(struct sentinel *sentinel, pthread_mutex_t *life);

/* End the thread; @life is given up. In the process that started it. */
void sentinel_stop(struct sentinel *sentinel);

/*
 * Blocks until @life is given up, by an orderly end or by death. To be called in
 * another process than the sentinel's.
 */
void sentinel_wait(pthread_mutex_t *life);

#endif /* FUSE_SELFTEST_SENTINEL_H */
