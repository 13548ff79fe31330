// SPDX-License-Identifier: GPL-2.0
/*
 * First process of a test guest: sets up what the programs need, runs them,
 * tells the host and powers off. The root stays the initramfs: virtiofs would
 * be the code under test and overlayfs would eat a level of stacking.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kmsg.h"
#include "plan.h"
#include "runner.h"
#include "wire.h"

static const struct {
	const char *type, *dir;
} mounts[] = {
	{ "proc", "/proc" },
	{ "sysfs", "/sys" },
	{ "devtmpfs", "/dev" },
	{ "tmpfs", "/tmp" },
	{ "tmpfs", "/dev/shm" },
	{ "devpts", "/dev/pts" },
	{ "debugfs", "/sys/kernel/debug" },
	{ "fusectl", "/sys/fs/fuse/connections" },
	{ NULL, NULL },
};

static void mount_one(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, MS_NOSUID, NULL) && errno != ENOENT && errno != ENODEV &&
	    errno != EBUSY)
		fprintf(stderr, "init: %s on %s: %s\n", type, dir, strerror(errno));
}

static void mount_all(void)
{
	for (int i = 0; mounts[i].type; i++)
		mount_one(mounts[i].type, mounts[i].dir);
	chmod("/tmp", 01777);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Is @name in the list that the programs will find in environment variable @variable? */
static bool listed(const char *variable, const char *name)
{
	const char *at = getenv(variable);
	size_t len = strlen(name);

	if (!at)
		return true;
	for (;; at++) {
		if (!strncmp(at, name, len) && (!at[len] || at[len] == ','))
			return true;
		at = strchr(at, ',');
		if (!at)
			return false;
	}
}

/*
 * The host listed them in the order in which they depend on each other, each with
 * the backing file system it is for. Some take a second where processors are emulated.
 */
static void load_modules(void)
{
	FILE *list = fopen("/modules.list", "re");
	char purpose[32], path[512];

	if (!list)
		return;
	while (fscanf(list, "%31s %511s", purpose, path) == 2)
		if (!strcmp(purpose, "all") || (listed("FUSE_TEST_FS", purpose) &&
						listed("FUSE_TEST_PART", purpose)))
			load_module(path);
	fclose(list);
}

static void run_shell(void)
{
	pid_t pid = fork();

	if (!pid) {
		int fd;

		setsid();
		fd = open("/dev/console", O_RDWR);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execlp("bash", "bash", "-i", NULL);
		perror("bash");
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void announce(void)
{
	struct timespec ts;
	struct utsname uts;

	uname(&uts);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	wire_event("boot %ld.%03ld %s %s", ts.tv_sec, ts.tv_nsec / 1000000, uts.release,
		   uts.machine);
}

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(void)
{
	struct plan plan;
	int err, kmsg_fd;

	mount_all();
	err = plan_read(&plan, "/run.conf");
	if (err) {
		fprintf(stderr, "init: /run.conf: %s\n", strerror(-err));
		power_off();
	}
	load_modules();
	mount_one("fusectl", "/sys/fs/fuse/connections");
	if (plan.shell) {
		run_shell();
		power_off();
	}
	err = wire_open(plan.report);
	if (err) {
		fprintf(stderr, "init: no report port among: %s\n", plan.report);
		power_off();
	}
	announce();
	kmsg_fd = kmsg_open();
	err = kmsg_fd < 0 ? kmsg_fd : runner_run(&plan, kmsg_fd);
	if (err)
		wire_event("error %s", strerror(-err));
	else
		wire_event("end %s %u", plan.nonce, wire_ktap_lines());
	wire_close();
	power_off();
}
