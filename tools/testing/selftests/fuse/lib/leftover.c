// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "leftover.h"
#include "namespace.h"

#define LOOK_AGAIN_MS	1
#define FUSECTL		"/sys/fs/fuse/connections"

int leftover_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void pause_shortly(void)
{
	const struct timespec ts = { .tv_nsec = LOOK_AGAIN_MS * 1000000 };

	nanosleep(&ts, NULL);
}

static size_t read_text(const char *path, char *text, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd >= 0) {
		n = read(fd, text, len - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? n : 0;
}

/*
 * The numbers of the children, dying ones included. Of them nothing is read that
 * takes a reference to their memory (stat, status, cmdline): dropping the last
 * one would do the unmapping they are perhaps stuck in.
 */
static void list_children(char *list, size_t len)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", gettid());
	read_text(path, list, len);
}

static void describe(char *what, size_t len)
{
	char children[64], path[64], name[32], wchan[64];

	list_children(children, sizeof(children));
	snprintf(path, sizeof(path), "/proc/%d/comm", atoi(children));
	read_text(path, name, sizeof(name));
	snprintf(path, sizeof(path), "/proc/%d/wchan", atoi(children));
	read_text(path, wchan, sizeof(wchan));
	name[strcspn(name, "\n")] = '\0';
	snprintf(what, len, "process %d (%s) in %s", atoi(children), name, wchan);
}

/* Adopted processes count as children, so the kernel itself knows when there are none. */
static bool process_left(char *what, size_t len)
{
	pid_t pid;

	do
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
	while (pid > 0);
	if (pid < 0)
		return false;
	describe(what, len);
	return true;
}

/* The name of the image has the program's number; sysfs shows it without opening the device. */
static bool loop_left(pid_t program, char *what, size_t len)
{
	char image[64], tag[64];
	bool found = false;
	glob_t devices;
	size_t i;

	snprintf(tag, sizeof(tag), "/" NAMESPACE_TAG "-%d-", program);
	if (glob("/sys/block/loop*/loop/backing_file", 0, NULL, &devices))
		return false;
	for (i = 0; i < devices.gl_pathc && !found; i++) {
		read_text(devices.gl_pathv[i], image, sizeof(image));
		found = strstr(image, tag);
		if (found)
			snprintf(what, len, "loop device %s", devices.gl_pathv[i]);
	}
	globfree(&devices);
	return found;
}

static bool file_left(char *what, size_t len)
{
	static const char *const patterns[] = {
		"/mnt/" NAMESPACE_TAG "*", "/media/" NAMESPACE_TAG "*",
		"/srv/" NAMESPACE_TAG "*", "/tmp/" NAMESPACE_TAG "*", NAMESPACE_TAG "*",
	};
	glob_t files;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		if (glob(patterns[i], 0, NULL, &files))
			continue;
		snprintf(what, len, "file %s", files.gl_pathv[0]);
		globfree(&files);
		return true;
	}
	return false;
}

static bool mount_left(char *what, size_t len)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[1024];
	bool found = false;

	if (!mounts)
		return false;
	while (!found && fgets(line, sizeof(line), mounts)) {
		found = strstr(line, " " NAMESPACE_TAG " ");
		if (found)
			snprintf(what, len, "mount %.200s", line);
	}
	fclose(mounts);
	return found;
}

static bool anything_left(pid_t program, char *what, size_t len)
{
	return process_left(what, len) || loop_left(program, what, len) ||
	       mount_left(what, len) || file_left(what, len);
}

bool leftover_find(pid_t program, char *what, size_t len)
{
	long long deadline = now_ms() + LEFTOVER_SECONDS * 1000;

	while (anything_left(program, what, len)) {
		if (now_ms() > deadline)
			return true;
		pause_shortly();
	}
	return false;
}

/* @path: a connection's switch in fusectl, or a link to an open one. */
static void throw_switch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		perror(path);
	close(fd);
}

/* A dying thread may have no namespace any more while another one still has. */
static void abort_mounts_of(pid_t pid)
{
	char pattern[64], path[64], line[1024];
	glob_t tasks;
	size_t i;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/mountinfo", pid);
	if (glob(pattern, 0, NULL, &tasks))
		return;
	for (i = 0; i < tasks.gl_pathc; i++) {
		FILE *mounts = fopen(tasks.gl_pathv[i], "re");
		unsigned int number;

		while (mounts && fgets(line, sizeof(line), mounts))
			if (strstr(line, "/sandbox") && strstr(line, " - fuse") &&
			    sscanf(line, "%*u %*u 0:%u", &number) == 1) {
				snprintf(path, sizeof(path), FUSECTL "/%u/abort", number);
				throw_switch(path);
			}
		if (mounts)
			fclose(mounts);
	}
	globfree(&tasks);
}

/*
 * What was detached while in use is in no mountinfo any more. A server keeps the
 * switch of its connection open, and whom it forked has that, too.
 */
static void abort_by_descriptors_of(pid_t pid)
{
	static const char ending[] = "/abort";
	char pattern[64], name[PATH_MAX];
	glob_t files;
	ssize_t at;
	size_t i;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/fd/*", pid);
	if (glob(pattern, 0, NULL, &files))
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		at = readlink(files.gl_pathv[i], name, sizeof(name) - 1);
		name[at > 0 ? at : 0] = '\0';
		at -= strlen(ending);
		if (at >= 0 && !strcmp(name + at, ending))
			throw_switch(files.gl_pathv[i]);
	}
	globfree(&files);
}

/* EBUSY: it is mounted there already */
static bool private_fusectl(void)
{
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       (!mount("none", FUSECTL, "fusectl", 0, NULL) || errno == EBUSY);
}

static void abort_children(void)
{
	char children[1024], *pid, *rest = children;

	list_children(children, sizeof(children));
	while ((pid = strsep(&rest, " "))) {
		if (atoi(pid) <= 0)
			continue;
		abort_mounts_of(atoi(pid));
		abort_by_descriptors_of(atoi(pid));
		kill(atoi(pid), SIGKILL);
	}
}

/* Whoever dies leaves its own children to be adopted, hence the loop. */
void leftover_abort(void)
{
	long long deadline = now_ms() + LEFTOVER_SECONDS * 1000;
	char what[128];

	if (!private_fusectl()) {
		perror("private " FUSECTL);
		return;
	}
	while (process_left(what, sizeof(what)) && now_ms() < deadline) {
		abort_children();
		pause_shortly();
	}
}
