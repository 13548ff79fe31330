// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"

static void serve(struct actor *a, int sock)
{
	char turn;

	while (read(sock, &turn, 1) == 1) {
		a->result = a->fn(a, a->arg);
		if (write(sock, &turn, 1) != 1)
			break;
	}
	_exit(0);
}

void actor_self(struct actor *a)
{
	memset(a, 0, sizeof(*a));
	a->name = "self";
	a->sock = -1;
}

int actor_fork(struct actor *a, const char *name, const struct actor *parent, int close_fd)
{
	pid_t tester = getpid(), pid;
	int pair[2], err;

	memset(a, 0, sizeof(*a));
	a->name = name;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	if (parent)
		memcpy(a->views, parent->views, sizeof(a->views));

	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != tester)
			_exit(0);
		close(pair[0]);
		if (close_fd >= 0)
			close(close_fd);
		serve(a, pair[1]);
	}
	close(pair[1]);
	a->pid = pid;
	a->sock = pair[0];
	return 0;
}

void actor_end(struct actor *a)
{
	if (!a->pid)
		return;
	close(a->sock);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
	memset(a, 0, sizeof(*a));
}

bool actor_alive(const struct actor *a)
{
	return a->name;
}

ssize_t actor_call(struct actor *a, ssize_t (*fn)(struct actor *a, void *arg), void *arg)
{
	char turn = 0;

	if (!a->pid)
		return fn(a, arg);
	a->fn = fn;
	a->arg = arg;
	/* Not write(2): a dead actor must be an answer, not SIGPIPE. */
	if (send(a->sock, &turn, 1, MSG_NOSIGNAL) != 1 || read(a->sock, &turn, 1) != 1)
		return -EPIPE;
	return a->result;
}
