// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_process.h"

/* The child has nothing to do once the connection is gone. */
#define STOP_MILLISECONDS 2000

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * Keep what serving needs. Descriptors of the tester would pin its pipes, and
 * FUSE files among them would make the child wait for itself when it ends.
 */
static void close_others(const struct server *srv)
{
	int keep[] = { STDERR_FILENO, srv->root, srv->wake, srv->ended, srv->device };
	const size_t count = sizeof(keep) / sizeof(*keep);

	qsort(keep, count, sizeof(*keep), ascending);
	for (size_t i = 0; i < count; i++) {
		unsigned int first = keep[i] + 1;
		unsigned int last = i + 1 < count ? (unsigned int)keep[i + 1] - 1 : ~0U;

		if (first <= last)
			syscall(SYS_close_range, first, last, 0);
	}
}

static void serve(struct server *srv)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != srv->owner)
		return;
	close_others(srv);
	ret = server_prepare(srv);
	if (!ret)
		ret = server_start_threads(srv, 1);
	if (ret) {
		atomic_store(&srv->ctl->error, ret);
		control_set_state(srv->ctl, CONTROL_ENDED);
		return;
	}
	serving_run(srv);
	serving_stop(srv);
	server_join_threads(srv);
}

int process_start(struct server *srv)
{
	sigset_t all, before;

	/* The tester's handlers have no business in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	srv->child = fork();
	if (!srv->child) {
		serve(srv);
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (srv->child < 0) {
		srv->child = 0;
		return -errno;
	}
	srv->child_fd = syscall(SYS_pidfd_open, srv->child, 0);
	if (srv->child_fd < 0)
		return -errno;
	srv->child_device = srv->device;
	close(srv->device);
	srv->device = -1;
	return 0;
}

void process_resume(struct server *srv)
{
	if (srv->child)
		kill(srv->child, SIGCONT);
}

void process_stop(struct server *srv)
{
	struct pollfd ended = { .fd = srv->child_fd, .events = POLLIN };

	if (!srv->child)
		return;
	if (srv->child_fd < 0 || poll(&ended, 1, STOP_MILLISECONDS) != 1)
		kill(srv->child, SIGKILL);
	waitpid(srv->child, NULL, 0);
	if (srv->child_fd >= 0)
		close(srv->child_fd);
	srv->child = 0;
}

int process_borrow_device(struct server *srv)
{
	int fd;

	if (srv->device >= 0)
		fd = fcntl(srv->device, F_DUPFD_CLOEXEC, 0);
	else
		fd = syscall(SYS_pidfd_getfd, srv->child_fd, srv->child_device, 0);
	return fd < 0 ? -errno : fd;
}
