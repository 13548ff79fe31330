// SPDX-License-Identifier: GPL-2.0
/* Life of a server: set up, serve from threads or a child process, take down. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server_internal.h"
#include "server_mount.h"
#include "server_process.h"

static void *serve_thread(void *arg)
{
	serving_run(arg);
	return NULL;
}

int server_start_threads(struct server *srv, unsigned int first)
{
	sigset_t all, before;
	int ret = 0;

	/* Signals sent to the process are for the tester's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (srv->running + first < srv->threads && !ret) {
		ret = -pthread_create(&srv->thread[srv->running], NULL, serve_thread, srv);
		if (!ret)
			srv->running++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

void server_join_threads(struct server *srv)
{
	while (srv->running)
		pthread_join(srv->thread[--srv->running], NULL);
}

/* Every inode that the kernel refers to costs a descriptor. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit = { .rlim_cur = INODE_MAX, .rlim_max = INODE_MAX };

	if (!setrlimit(RLIMIT_NOFILE, &limit) || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int server_prepare(struct server *srv)
{
	int ret = session_create(srv);

	raise_descriptor_limit();
	return ret ? ret : serving_prepare(srv);
}

static int start_here(struct server *srv)
{
	int ret = server_prepare(srv);

	return ret ? ret : server_start_threads(srv, 0);
}

static struct control *control_create(const struct server_options *opt)
{
	struct control *ctl = mmap(NULL, sizeof(*ctl), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ctl == MAP_FAILED)
		return NULL;
	atomic_store(&ctl->mode, opt->mode);
	return ctl;
}

/* Memory and descriptors: nothing that others see yet. */
static int allocate(struct server *srv, const char *backing)
{
	srv->ctl = control_create(&srv->opt);
	srv->inodes = inode_table_create();
	if (!srv->ctl || !srv->inodes)
		return -ENOMEM;
	server_set_timeouts(srv, srv->opt.attr_timeout, srv->opt.entry_timeout);

	srv->root = open(backing, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (srv->root < 0)
		return -errno;
	srv->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	srv->ended = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (srv->wake < 0 || srv->ended < 0)
		return -errno;
	/* Several threads may be woken for one request; all but one find nothing. */
	srv->device = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return srv->device < 0 ? -errno : 0;
}

static bool has_started(struct control *ctl, const void *arg)
{
	(void)arg;
	return atomic_load(&ctl->state) != CONTROL_STARTING;
}

static int start(struct server *srv, const char *backing, const char *mountpoint)
{
	int ret = allocate(srv, backing);

	if (!ret)
		ret = mount_server(srv, mountpoint);
	if (!ret)
		ret = mount_find_connection(srv);
	if (!ret)
		ret = srv->opt.own_process ? process_start(srv) : start_here(srv);
	if (!ret)
		ret = control_wait(srv->ctl, has_started, NULL);
	/* It may have served and been unmounted by somebody in no time. */
	if (!ret && !atomic_load(&srv->ctl->init_replied))
		ret = atomic_load(&srv->ctl->error) ?: -ENOTCONN;
	return ret;
}

int server_start(struct server **out, const char *backing, const char *mountpoint,
		 const struct server_options *opt)
{
	struct server *srv = calloc(1, sizeof(*srv));
	int ret;

	*out = NULL;
	if (!srv)
		return -ENOMEM;
	srv->opt = *opt;
	srv->root = -1;
	srv->wake = -1;
	srv->ended = -1;
	srv->abort = -1;
	srv->device = -1;
	srv->child_fd = -1;
	srv->owner = getpid();
	srv->threads = opt->threads ?: 1;
	if (srv->threads > SERVER_MAX_THREADS)
		srv->threads = SERVER_MAX_THREADS;

	ret = start(srv, backing, mountpoint);
	if (ret) {
		server_stop(srv);
		return ret;
	}
	*out = srv;
	return 0;
}

static bool withholds(const struct control *ctl)
{
	for (unsigned int i = 0; i < CONTROL_OPCODES; i++)
		if (atomic_load(&ctl->hold[i]) == HOLD_HELD)
			return true;
	return false;
}

/*
 * Unmounting writes dirty pages back, so the server serves on meanwhile, unless
 * it is known not to answer. What is still open afterwards keeps the connection
 * alive; then only aborting it frees those who wait for an answer.
 */
static void disconnect(struct server *srv)
{
	if (srv->mounted && withholds(srv->ctl))
		mount_abort(srv);
	unmount_server(srv);
	if (!mount_connection_ended(srv))
		mount_abort(srv);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void server_stop(struct server *srv)
{
	if (!srv)
		return;
	if (srv->ctl && srv->wake >= 0) {
		process_resume(srv);
		disconnect(srv);
		serving_stop(srv);
		process_stop(srv);
		server_join_threads(srv);
	}
	session_destroy(srv);
	close_if_open(srv->root);
	close_if_open(srv->wake);
	close_if_open(srv->ended);
	close_if_open(srv->abort);
	inode_table_destroy(srv->inodes);
	if (srv->ctl)
		munmap(srv->ctl, sizeof(*srv->ctl));
	buffer_pool_destroy(&srv->buffers);
	free(srv);
}

unsigned int server_connection(const struct server *srv)
{
	return srv->connection;
}

int server_ended_fd(const struct server *srv)
{
	return srv->ended;
}

int server_device(const struct server *srv)
{
	return srv->device;
}

pid_t server_pid(const struct server *srv)
{
	return srv->child ? srv->child : srv->owner;
}
