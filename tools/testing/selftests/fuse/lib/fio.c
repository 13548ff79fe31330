// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fio.h"
#include "report.h"

#define ANSWER_SIZE	16384
#define SHOWN_LINES	8
#define MAX_ARGS	16

/* --- a child with its output in a file ---------------------------------------- */

static void become(const char *const *argv, const char *dir, int in, int out)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || dup2(in, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 || chdir(dir))
		_exit(127);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* Standard input is @in; what is printed goes to run->said. */
static int start(struct fio_run *run, const char *const *argv, const char *dir, int in)
{
	run->said = memfd_create("fio", MFD_CLOEXEC);
	if (run->said < 0)
		return -errno;
	run->pid = fork();
	if (!run->pid)
		become(argv, dir, in, run->said);
	if (run->pid < 0) {
		int err = errno;

		close(run->said);
		return -err;
	}
	return 0;
}

static int wait_for(struct fio_run *run)
{
	int status;

	while (waitpid(run->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- what is there -------------------------------------------------------------- */

/* What fio prints when it is given @option alone; false unless it ends with status 0. */
static bool ask(const char *option, char *answer, size_t len)
{
	const char *const argv[] = { "fio", option, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct fio_run run;
	ssize_t got = -1;

	if (null >= 0 && !start(&run, argv, "/", null)) {
		if (!wait_for(&run))
			got = pread(run.said, answer, len - 1, 0);
		close(run.said);
	}
	close(null);
	answer[got < 0 ? 0 : got] = '\0';
	return got >= 0;
}

const char *fio_missing(void)
{
	static char why[128];
	static int known;	/* -1 usable, 1 not */
	int major, minor;
	char answer[128];

	if (known)
		return known > 0 ? why : NULL;
	known = 1;
	if (!ask("--version", answer, sizeof(answer)))
		snprintf(why, sizeof(why), "no fio in PATH: install the package fio");
	else if (sscanf(answer, "fio-%d.%d", &major, &minor) != 2)
		snprintf(why, sizeof(why), "no version of fio: \"%.*s\"",
			 (int)strcspn(answer, "\n"), answer);
	else if (major < FIO_NEEDS_MAJOR || (major == FIO_NEEDS_MAJOR && minor < FIO_NEEDS_MINOR))
		snprintf(why, sizeof(why), "fio %d.%d is too old: %d.%d or later", major, minor,
			 FIO_NEEDS_MAJOR, FIO_NEEDS_MINOR);
	else
		known = -1;
	return known > 0 ? why : NULL;
}

/* Engines that need more of the kernel than files, and how a kernel without shows. */
static const char *kernel_lacks(const char *engine)
{
	if (!strcmp(engine, "libaio") && syscall(SYS_io_setup, 0, NULL) && errno == ENOSYS)
		return "no libaio in this kernel: CONFIG_AIO";
	if (strcmp(engine, "io_uring") || !syscall(SYS_io_uring_setup, 0, NULL))
		return NULL;
	if (errno == ENOSYS)
		return "no io_uring in this kernel: CONFIG_IO_URING";
	if (errno == EPERM)
		return "io_uring is switched off: sysctl kernel.io_uring_disabled";
	return NULL;
}

/* Engines that are files of their own are listed by some versions, loaded by all. */
static bool has_engine(const char *engine)
{
	static char list[ANSWER_SIZE];
	char line[64], answer[ANSWER_SIZE];

	if (!list[0] && !ask("--enghelp", list, sizeof(list)))
		return false;
	snprintf(line, sizeof(line), "\t%s\n", engine);
	if (strstr(list, line))
		return true;
	snprintf(line, sizeof(line), "--enghelp=%s", engine);
	return ask(line, answer, sizeof(answer));
}

const char *fio_lacks(const char *job)
{
	static const char key[] = "\nioengine=";
	static char why[128];
	const char *lacks, *at = job;
	char engine[32];

	while ((at = strstr(at, key))) {
		at += strlen(key);
		snprintf(engine, sizeof(engine), "%.*s", (int)strcspn(at, "\n"), at);
		lacks = kernel_lacks(engine);
		if (lacks)
			return lacks;
		if (has_engine(engine))
			continue;
		snprintf(why, sizeof(why), "this fio has no engine %s", engine);
		return why;
	}
	return NULL;
}

/* --- a job ------------------------------------------------------------------------ */

int fio_start(struct fio_run *run, const char *job, const char *dir, const char *const *more)
{
	const char *argv[MAX_ARGS + 1] = { "fio", "--eta=never", "--clocksource=clock_gettime" };
	int n = 3;
	int in = memfd_create("job", MFD_CLOEXEC);
	int ret;

	while (more && *more && n < MAX_ARGS - 1)
		argv[n++] = *more++;
	argv[n] = "-";
	if (in < 0)
		return -errno;
	if (pwrite(in, job, strlen(job), 0) != (ssize_t)strlen(job))
		ret = -EIO;
	else
		ret = start(run, argv, dir, in);
	close(in);
	return ret;
}

static bool is_about_data(const char *line)
{
	static const char *const words[] = { "verify: ", "fio: ", "pattern: ", "crc32c: " };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strncmp(line, words[i], strlen(words[i])))
			return true;
	return false;
}

static void show(int said)
{
	int fd = dup(said), shown = 0;
	char line[512];
	FILE *file;

	lseek(said, 0, SEEK_SET);
	file = fdopen(fd, "r");
	if (!file)
		return;
	while (shown < SHOWN_LINES && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!is_about_data(line))
			continue;
		report_line("  %s", line);
		shown++;
	}
	fclose(file);
}

int fio_wait(struct fio_run *run)
{
	int status = wait_for(run);

	if (status) {
		report_line("fio ended with status %d:", status);
		show(run->said);
	}
	close(run->said);
	return status;
}
