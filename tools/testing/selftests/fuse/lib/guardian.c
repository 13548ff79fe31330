// SPDX-License-Identifier: GPL-2.0
/* The program's side of the guardian: starting it, talking to it, the sentinel. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guardian.h"
#include "guardian_internal.h"
#include "sentinel.h"

struct ward {
	pid_t owner;
	int talk;
	struct sentinel sentinel;
};

/* Set once by guardian_start() and inherited by every process of the program. */
static struct {
	int sock;
	pid_t guardian;
	pid_t program;
	struct guardian_slots *slots;
} program = { .sock = -1 };

static int open_pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* Keep only @keep[@count], ascending; the others may be FUSE files or pipes of a CI. */
static void close_all_but(const int *keep, size_t count)
{
	unsigned int from = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if ((unsigned int)keep[i] > from)
			syscall(SYS_close_range, from, keep[i] - 1, 0);
		from = keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static void null_standard_streams(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd < STDERR_FILENO)
		fd = dup(fd);
}

/* Nothing of the terminal, of the harness or of the memory killer may reach the guardian. */
static void become_guardian(struct guardian_config *cfg)
{
	int keep[2] = { cfg->sock, cfg->program_pidfd };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "fuse-guardian");
	/* Both descriptors go above the standard streams, the socket first. */
	keep[0] = fcntl(cfg->sock, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	keep[1] = fcntl(cfg->program_pidfd, F_DUPFD_CLOEXEC, keep[0] + 1);
	if (keep[0] < 0 || keep[1] < 0 || chdir("/"))
		_exit(1);
	cfg->sock = keep[0];
	cfg->program_pidfd = keep[1];
	close_all_but(keep, 2);
	null_standard_streams();
	write_file("/proc/self/oom_score_adj", "-1000");
	guardian_process(cfg);
	_exit(0);
}

static void stop_guardian(void)
{
	struct guardian_message msg = { .request = GUARDIAN_QUIT };

	if (getpid() != program.program)
		return;
	if (send(program.sock, &msg, sizeof(msg), MSG_NOSIGNAL) == sizeof(msg))
		waitpid(program.guardian, NULL, 0);
}

int guardian_start(const char *fusectl)
{
	const char *fault = getenv("FUSE_TEST_FAULT");
	struct guardian_config cfg = {
		.program = getpid(),
		.asleep = fault && !strcmp(fault, "guardian"),
	};
	int sock[2], err;

	cfg.slots = mmap(NULL, sizeof(*cfg.slots), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (cfg.slots == MAP_FAILED)
		return -errno;
	snprintf(cfg.fusectl, sizeof(cfg.fusectl), "%s", fusectl);
	cfg.program_pidfd = open_pidfd(cfg.program);
	if (cfg.program_pidfd < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock)) {
		err = -errno;
		close(cfg.program_pidfd);
		return err;
	}
	cfg.sock = sock[1];
	fflush(NULL);
	program.guardian = fork();
	if (!program.guardian)
		become_guardian(&cfg);
	err = program.guardian < 0 ? -errno : 0;
	close(cfg.program_pidfd);
	close(sock[1]);
	if (err) {
		close(sock[0]);
		return err;
	}
	program.sock = sock[0];
	program.slots = cfg.slots;
	program.program = cfg.program;
	atexit(stop_guardian);
	return 0;
}

static int wait_answer(struct ward *ward)
{
	struct pollfd pfd = { .fd = ward->talk, .events = POLLIN };
	int n, answer;

	do
		n = poll(&pfd, 1, GUARDIAN_SECONDS * 1000);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -ETIMEDOUT;
	if (recv(ward->talk, &answer, sizeof(answer), MSG_DONTWAIT) != sizeof(answer))
		return -ECONNRESET;
	return answer;
}

static int ask(struct ward *ward, const struct guardian_message *msg)
{
	if (send(ward->talk, msg, sizeof(*msg), MSG_NOSIGNAL) != sizeof(*msg))
		return -errno;
	return wait_answer(ward);
}

static int send_with_fds(int sock, const struct guardian_message *msg, const int *fds)
{
	union ward_control control = { 0 };
	struct iovec iov = { .iov_base = (void *)msg, .iov_len = sizeof(*msg) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(WARD_FDS * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, WARD_FDS * sizeof(int));
	if (sendmsg(sock, &hdr, MSG_NOSIGNAL) != sizeof(*msg))
		return -errno;
	return 0;
}

/*
 * Groups made inside the program, by the harness or the tester itself, may be
 * killed as a whole; one that was inherited from the shell may not.
 */
static pid_t group_of_own(pid_t self, pid_t parent)
{
	pid_t group = getpgrp();

	return group == self || group == parent || group == program.program ? group : 0;
}

/* Returns the slot the guardian gave. */
static int introduce(struct ward *ward, const char *dir, int talk)
{
	struct guardian_message msg = { .request = GUARDIAN_WATCH, .tester = getpid() };
	int fds[WARD_FDS] = { [WARD_TALK] = talk };
	int err;

	msg.parent = msg.tester == program.program ? msg.tester : getppid();
	msg.group = group_of_own(msg.tester, msg.parent);
	if (strlen(dir) >= sizeof(msg.dir))
		return -ENAMETOOLONG;
	memcpy(msg.dir, dir, strlen(dir) + 1);
	fds[WARD_TESTER] = open_pidfd(msg.tester);
	fds[WARD_PARENT] = open_pidfd(msg.parent);
	if (fds[WARD_TESTER] < 0 || fds[WARD_PARENT] < 0)
		err = -errno;
	else
		err = send_with_fds(program.sock, &msg, fds);
	if (fds[WARD_TESTER] >= 0)
		close(fds[WARD_TESTER]);
	if (fds[WARD_PARENT] >= 0)
		close(fds[WARD_PARENT]);
	return err ? err : wait_answer(ward);
}

static int arm(struct ward *ward, int slot)
{
	struct guardian_message msg = { .request = GUARDIAN_ARMED };
	int err = sentinel_start(&ward->sentinel, &program.slots->life[slot]);

	if (err)
		return err;
	err = ask(ward, &msg);
	if (err)
		sentinel_stop(&ward->sentinel);
	return err;
}

int guardian_watch(struct ward **out, const char *dir)
{
	struct ward *ward = calloc(1, sizeof(*ward));
	int talk[2], err;

	if (!ward)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk)) {
		err = -errno;
		free(ward);
		return err;
	}
	ward->owner = getpid();
	ward->talk = talk[0];
	err = introduce(ward, dir, talk[1]);
	close(talk[1]);
	if (err >= 0)
		err = arm(ward, err);
	if (err) {
		close(talk[0]);
		free(ward);
		return err;
	}
	*out = ward;
	return 0;
}

int guardian_note_connection(struct ward *ward, unsigned int number)
{
	struct guardian_message msg = {
		.request = GUARDIAN_CONNECTION,
		.connection = number,
	};

	return ask(ward, &msg);
}

void guardian_release(struct ward *ward)
{
	struct guardian_message msg = { .request = GUARDIAN_RELEASE };

	if (!ward || ward->owner != getpid())
		return;
	/* An error means there is no guardian any more, and so nothing to tell it. */
	ask(ward, &msg);
	sentinel_stop(&ward->sentinel);
	close(ward->talk);
	free(ward);
}
