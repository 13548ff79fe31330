// SPDX-License-Identifier: GPL-2.0
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kmsg.h"
#include "leaks.h"
#include "wire.h"

#define KSFT_SKIP	4
#define NOT_EXECUTABLE	126
#define KILL_SECONDS	10	/* from SIGKILL to giving the program up */
#define CONNECTIONS	"/sys/fs/fuse/connections"
#define HARNESS_RUN	"#  RUN           "

/* One program while it runs. */
struct job {
	pid_t pid;
	int out;		/* its stdout and stderr */
	bool exited;
	int status;
	bool timed_out;
	const char *name;
	char line[4096];	/* what came since the last newline */
	size_t len;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		wire_event("unwritable %s", path);
	close(fd);
}

/* A program that waits for its own dead FUSE server can only be helped from outside. */
static void abort_connections(void)
{
	struct dirent *entry;
	DIR *dir = opendir(CONNECTIONS);
	char path[512];

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), CONNECTIONS "/%s/abort", entry->d_name);
		write_file(path, "1");
	}
	closedir(dir);
}

static void finish_line(struct job *job)
{
	char mark[512];

	job->line[job->len] = '\0';
	wire_ktap("# %s", job->line);
	if (!strncmp(job->line, HARNESS_RUN, strlen(HARNESS_RUN))) {
		char *test = job->line + strlen(HARNESS_RUN);

		test[strcspn(test, " ")] = '\0';
		snprintf(mark, sizeof(mark), "%s: %s", job->name, test);
		kmsg_mark(mark);
	}
	job->len = 0;
}

/* Returns false at the end of the output. */
static bool relay_output(struct job *job)
{
	char buf[4096];
	ssize_t n = read(job->out, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n' || job->len == sizeof(job->line) - 1)
			finish_line(job);
		if (buf[i] != '\n')
			job->line[job->len++] = buf[i];
	}
	return n > 0;
}

static void exec_program(char **argv, int out)
{
	char path[256];
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (chdir("/suite"))
		_exit(NOT_EXECUTABLE);
	snprintf(path, sizeof(path), "/suite/%s", argv[0]);
	argv[0] = path;
	execv(path, argv);
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	_exit(NOT_EXECUTABLE);
}

static int start_program(struct job *job, char **argv)
{
	int pipefd[2];

	memset(job, 0, sizeof(*job));
	job->name = argv[0];
	if (pipe2(pipefd, O_CLOEXEC))
		return -errno;
	job->pid = fork();
	if (job->pid < 0)
		return -errno;
	if (!job->pid)
		exec_program(argv, pipefd[1]);
	close(pipefd[1]);
	job->out = pipefd[0];
	fcntl(job->out, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Init inherits every orphan; only the program itself has a result. */
static void reap(struct job *job)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != job->pid)
			continue;
		job->exited = true;
		job->status = status;
	}
}

static void wait_until(struct job *job, int kmsg_fd, int sig_fd, double deadline)
{
	struct signalfd_siginfo info;
	struct pollfd fds[] = {
		{ .fd = job->out, .events = POLLIN },
		{ .fd = kmsg_fd, .events = POLLIN },
		{ .fd = sig_fd, .events = POLLIN },
	};

	while (!job->exited) {
		double left = deadline - now();

		if (left <= 0)
			return;
		poll(fds, 3, (int)(left * 1000) + 1);
		if (fds[0].revents && !relay_output(job))
			fds[0].fd = -1;
		if (fds[1].revents)
			kmsg_relay();
		if (fds[2].revents && read(sig_fd, &info, sizeof(info)) > 0)
			reap(job);
	}
}

static void drain(struct job *job)
{
	ssize_t before;

	do {
		before = job->len;
		if (!relay_output(job))
			break;
	} while (job->len != (size_t)before);
	if (job->len)
		finish_line(job);
	close(job->out);
}

/* Whatever a program leaves running would disturb the next one. */
static void end_program(struct job *job, int kmsg_fd, int sig_fd)
{
	if (!job->exited) {
		job->timed_out = true;
		write_file("/proc/sysrq-trigger", "w");
		kmsg_relay();
	}
	kill(-1, SIGKILL);
	if (job->exited)
		return;
	abort_connections();
	wait_until(job, kmsg_fd, sig_fd, now() + KILL_SECONDS);
	if (!job->exited)
		wire_event("stuck %s", job->name);
}

static void report_result(const struct job *job, unsigned int number, unsigned int timeout)
{
	const char *name = job->name;
	int code = WIFEXITED(job->status) ? WEXITSTATUS(job->status)
					  : 128 + WTERMSIG(job->status);

	if (job->timed_out)
		wire_ktap("not ok %u selftests: fuse: %s # TIMEOUT %u seconds",
			  number, name, timeout);
	else if (code == 0)
		wire_ktap("ok %u selftests: fuse: %s", number, name);
	else if (code == KSFT_SKIP)
		wire_ktap("ok %u selftests: fuse: %s # SKIP", number, name);
	else
		wire_ktap("not ok %u selftests: fuse: %s # exit=%d", number, name, code);
	wire_event("exit %s %d %.3f %lu", name, job->timed_out ? 124 : code, now(), kmsg_taint());
}

static int run_program(const struct plan *plan, unsigned int i, int kmsg_fd, int sig_fd)
{
	struct job job;
	int err;

	if (plan->skip[i]) {
		wire_ktap("ok %u selftests: fuse: %s # SKIP %s", i + 1, plan->argv[i][0],
			  plan->skip[i]);
		return 0;
	}
	kmsg_mark(plan->argv[i][0]);
	wire_ktap("# timeout set to %u", plan->timeout);
	wire_ktap("# selftests: fuse: %s", plan->argv[i][0]);
	wire_event("program %s %u %.3f %lu", plan->argv[i][0], plan->timeout, now(), kmsg_taint());
	err = start_program(&job, plan->argv[i]);
	if (err)
		return err;
	wait_until(&job, kmsg_fd, sig_fd, now() + plan->timeout);
	end_program(&job, kmsg_fd, sig_fd);
	drain(&job);
	kmsg_relay();
	report_result(&job, i + 1, plan->timeout);
	return 0;
}

int runner_run(const struct plan *plan, int kmsg_fd)
{
	sigset_t chld;
	int sig_fd, err = 0;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sig_fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sig_fd < 0)
		return -errno;

	wire_ktap("TAP version 13");
	wire_ktap("1..%u", plan->programs);
	for (unsigned int i = 0; i < plan->programs && !err; i++)
		err = run_program(plan, i, kmsg_fd, sig_fd);
	leaks_report();
	kmsg_relay();
	close(sig_fd);
	return err;
}
