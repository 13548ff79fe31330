// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

#include "sentinel.h"

int sentinel_prepare(pthread_mutex_t *life)
{
	pthread_mutexattr_t attr;
	int err;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	err = pthread_mutex_init(life, &attr);
	pthread_mutexattr_destroy(&attr);
	return -err;
}

static void wait_uninterrupted(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

static void *keep_watch(void *arg)
{
	struct sentinel *sentinel = arg;

	prctl(PR_SET_NAME, "fuse-sentinel");
	pthread_mutex_lock(sentinel->life);
	sem_post(&sentinel->ready);
	wait_uninterrupted(&sentinel->stop);
	pthread_mutex_unlock(sentinel->life);
	return NULL;
}

/* The thread takes no signal that is meant for the test. */
int sentinel_start(struct sentinel *sentinel, pthread_mutex_t *life)
{
	sigset_t all, old;
	int err;

	sentinel->life = life;
	sem_init(&sentinel->ready, 0, 0);
	sem_init(&sentinel->stop, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&sentinel->thread, NULL, keep_watch, sentinel);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		wait_uninterrupted(&sentinel->ready);
	return -err;
}

void sentinel_stop(struct sentinel *sentinel)
{
	sem_post(&sentinel->stop);
	pthread_join(sentinel->thread, NULL);
	sem_destroy(&sentinel->ready);
	sem_destroy(&sentinel->stop);
}

void sentinel_wait(pthread_mutex_t *life)
{
	/* An owner that died leaves it inconsistent, which says nothing: it guards no data. */
	if (pthread_mutex_lock(life) == EOWNERDEAD)
		pthread_mutex_consistent(life);
	pthread_mutex_unlock(life);
}
