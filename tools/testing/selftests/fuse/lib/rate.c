// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rate.h"

#define MAX_THREADS	8
#define NS		1000000000ULL
/* Steps between two looks at the clock. */
#define STEPS		64

struct worker {
	pthread_t thread;
	const struct rate_loop *loop;
	const char *path;
	uint64_t ns;		/* how long */
	int fd;
	size_t size, page, next;	/* bytes; next: offset of the next page */
	volatile char *map;
	double rate;		/* steps a second */
	int err;
};

/* One step: 0 or -errno. */
struct rate_loop {
	const char *name;
	int (*step)(struct worker *w);
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

static int map(struct worker *w)
{
	void *mapped = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);

	if (mapped == MAP_FAILED)
		return -errno;
	w->map = mapped;
	w->next = 0;
	return 0;
}

static void unmap(struct worker *w)
{
	if (w->map)
		munmap((void *)w->map, w->size);
	w->map = NULL;
}

/* At the end of the file the pages are forgotten, so that each is a fault again. */
static int touch(struct worker *w, bool write)
{
	int err = 0;

	if (w->map && w->next == w->size)
		unmap(w);
	if (!w->map)
		err = map(w);
	if (err)
		return err;
	if (write)
		w->map[w->next] = 1;
	else
		(void)w->map[w->next];
	w->next += w->page;
	return 0;
}

static int fault_read(struct worker *w)
{
	return touch(w, false);
}

static int fault_write(struct worker *w)
{
	return touch(w, true);
}

static int store_and_msync(struct worker *w)
{
	int err = w->map ? 0 : map(w);

	if (err)
		return err;
	w->map[0]++;
	return msync((void *)w->map, w->page, MS_SYNC) ? -errno : 0;
}

static int open_map_close(struct worker *w)
{
	int fd = open(w->path, O_RDWR | O_CLOEXEC);
	int err = 0;
	char *page;

	if (fd < 0)
		return -errno;
	page = mmap(NULL, w->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		err = -errno;
	} else {
		(void)*(volatile char *)page;
		munmap(page, w->page);
	}
	close(fd);
	return err;
}

static const struct rate_loop loops[] = {
	{ "fault-read", fault_read },
	{ "fault-write", fault_write },
	{ "msync", store_and_msync },
	{ "open-map-close", open_map_close },
};

const struct rate_loop *rate_find(const char *name)
{
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		if (!strcmp(loops[i].name, name))
			return &loops[i];
	return NULL;
}

static int prepare(struct worker *w)
{
	struct stat st;

	w->fd = open(w->path, O_RDWR | O_CLOEXEC);
	if (w->fd < 0 || fstat(w->fd, &st))
		return -errno;
	w->size = st.st_size;
	w->page = sysconf(_SC_PAGESIZE);
	return w->size && w->size % w->page == 0 ? 0 : -EINVAL;
}

/* By a clock of its own: on a busy machine threads start late. */
static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t start, spent = 0, done = 0;

	w->err = prepare(w);
	start = now();
	while (!w->err && spent < w->ns) {
		for (int i = 0; i < STEPS && !w->err; i++, done++)
			w->err = w->loop->step(w);
		spent = now() - start;
	}
	w->rate = spent ? done * (double)NS / spent : 0;
	unmap(w);
	if (w->fd >= 0)
		close(w->fd);
	return NULL;
}

double rate_measure(const struct rate_loop *loop, const char *path, unsigned int threads,
		    unsigned int ms)
{
	struct worker workers[MAX_THREADS] = {};
	unsigned int started;
	double rate = 0;
	int err = 0;

	if (threads > MAX_THREADS)
		return -EINVAL;
	for (started = 0; started < threads && !err; started++) {
		struct worker *w = &workers[started];

		*w = (struct worker) {
			.loop = loop, .path = path, .ns = ms * (NS / 1000), .fd = -1,
		};
		err = -pthread_create(&w->thread, NULL, work, w);
		if (err)
			break;
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		rate += workers[i].rate;
		err = err ?: workers[i].err;
	}
	return err ?: rate;
}
