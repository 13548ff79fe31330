// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "busy.h"
#include "kselftest.h"

#define BUSY_PAGES 8

struct busy {
	const struct sandbox *sb;
	atomic_bool stop;
	size_t threads;
	pthread_t thread[8];
	char file[PATH_MAX];
	char other[PATH_MAX];
	char bind[PATH_MAX];
};

static void store_and_load(const struct busy *busy)
{
	size_t page = sysconf(_SC_PAGESIZE), size = BUSY_PAGES * page, i;
	int fd = open(busy->file, O_RDWR | O_CLOEXEC);
	char *map;

	if (fd < 0)
		return;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED) {
		for (i = 0; i < size; i += page)
			__atomic_add_fetch(&map[i], 1, __ATOMIC_RELAXED);
		msync(map, size, MS_ASYNC);
		munmap(map, size);
	}
	close(fd);
}

static void write_and_read(const struct busy *busy)
{
	char data[3000] = "busy";
	int fd = open(busy->file, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pwrite(fd, data, sizeof(data), 1000) > 0 && pread(fd, data, sizeof(data), 0) > 0)
		fsync(fd);
	close(fd);
}

static void create_and_unlink(const struct busy *busy)
{
	int fd = open(busy->other, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (write(fd, "other", 5) == 5 && !ftruncate(fd, 2))
		unlink(busy->other);
	close(fd);
}

static void look_up(const struct busy *busy)
{
	struct stat st;

	if (!stat(busy->file, &st))
		chmod(busy->file, 0640);
}

static void mount_and_unmount(const struct busy *busy)
{
	if (!mount(busy->sb->mnt, busy->bind, NULL, MS_BIND, NULL))
		umount2(busy->bind, MNT_DETACH);
}

/* Only the guardian ends the child: the signals of this test go to its parent alone. */
static void fork_and_wait(const struct busy *busy)
{
	pid_t pid = fork();

	if (!pid) {
		store_and_load(busy);
		write_and_read(busy);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void (*const actions[])(const struct busy *) = {
	store_and_load, write_and_read, create_and_unlink,
	look_up, mount_and_unmount, fork_and_wait,
};

struct worker {
	struct busy *busy;
	void (*action)(const struct busy *busy);
};

static void *work(void *arg)
{
	struct worker worker = *(struct worker *)arg;

	free(arg);
	while (!atomic_load(&worker.busy->stop))
		worker.action(worker.busy);
	return NULL;
}

static int start_worker(struct busy *busy, void (*action)(const struct busy *busy))
{
	struct worker *worker = malloc(sizeof(*worker));

	if (!worker)
		return -ENOMEM;
	*worker = (struct worker){ busy, action };
	if (pthread_create(&busy->thread[busy->threads], NULL, work, worker)) {
		free(worker);
		return -EAGAIN;
	}
	busy->threads++;
	return 0;
}

static int make_file(struct busy *busy)
{
	int fd = open(busy->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, BUSY_PAGES * sysconf(_SC_PAGESIZE)) || mkdir(busy->bind, 0755))
		err = -errno;
	close(fd);
	return err;
}

/* A mapping outlives the connection that could fill it; nobody wants a core of that. */
static void leave_at_once(int signal)
{
	(void)signal;
	_exit(1);
}

struct busy *busy_start(const struct sandbox *sb)
{
	struct busy *busy = calloc(1, sizeof(*busy));
	size_t i;

	if (!busy)
		return NULL;
	busy->sb = sb;
	snprintf(busy->file, sizeof(busy->file), "%.4000s/busy", sb->mnt);
	snprintf(busy->other, sizeof(busy->other), "%.4000s/other", sb->mnt);
	snprintf(busy->bind, sizeof(busy->bind), "%.4000s/bind", sb->dir);
	signal(SIGBUS, leave_at_once);
	if (make_file(busy)) {
		free(busy);
		return NULL;
	}
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (start_worker(busy, actions[i])) {
			busy_stop(busy);
			return NULL;
		}
	}
	return busy;
}

void busy_stop(struct busy *busy)
{
	atomic_store(&busy->stop, true);
	while (busy->threads)
		pthread_join(busy->thread[--busy->threads], NULL);
	free(busy);
}
