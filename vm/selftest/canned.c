// SPDX-License-Identifier: GPL-2.0
/*
 * Test programs with a known end, to prove the verdict with. The program's own
 * name says what it does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <unistd.h>

#define KSFT_SKIP 4

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		perror(path);
		exit(2);
	}
	close(fd);
}

static void plan(int tests)
{
	printf("TAP version 13\n1..%d\n", tests);
}

/* As kselftest_harness.h prints it. */
static void run(const char *name)
{
	printf("#  RUN           %s ...\n", name);
	fflush(stdout);
}

static int forever(void)
{
	for (;;)
		pause();
	return 0;
}

static int do_pass(void)
{
	plan(2);
	run("canned.first");
	puts("ok 1 canned.first");
	run("canned.second");
	puts("ok 2 canned.second # SKIP no such file system");
	return 0;
}

static int do_fail(void)
{
	plan(2);
	puts("ok 1 canned.good");
	run("canned.tmpfs.bad");
	puts("# canned.c:1: Expected 1 (1) == 2 (2)");
	puts("not ok 2 canned.tmpfs.bad");
	return 1;
}

static int do_skip(void)
{
	puts("TAP version 13\n1..0 # SKIP kernel without CONFIG_FUSE_PASSTHROUGH");
	return KSFT_SKIP;
}

static int do_skip_each(void)
{
	plan(1);
	puts("ok 1 canned.one # SKIP kernel without CONFIG_XFS_FS");
	return KSFT_SKIP;
}

static int do_known(void)
{
	plan(2);
	puts("ok 1 canned.good");
	puts("ok 2 canned.times # XFAIL D1: stat shows an old mtime");
	return 0;
}

static int do_gone(void)
{
	plan(1);
	puts("ok 1 canned.times # XPASS D1: stat shows an old mtime");
	return 0;
}

/* In the kernel's own time: page by page through faults takes UML minutes. */
static int exhaust_memory(void)
{
	int fd = memfd_create("all of it", 0);

	write_file("/proc/sys/vm/panic_on_oom", "2");
	return fallocate(fd, 0, 0, 1LL << 40) ? 2 : 0;
}

/* run(), and init has reported it: the mark in the kernel's log comes after that. */
static void run_reported(const char *name)
{
	char record[8192];
	int fd = open("/dev/kmsg", O_RDONLY);
	ssize_t n;

	lseek(fd, 0, SEEK_END);
	run(name);
	do {
		n = read(fd, record, sizeof(record) - 1);
		record[n > 0 ? n : 0] = '\0';
	} while (n > 0 && !strstr(record, name));
	close(fd);
}

static int do_crash(void)
{
	plan(1);
	run_reported("canned.crash");
	if (access("/proc/sysrq-trigger", F_OK))
		return exhaust_memory();	/* UML has no sysrq */
	write_file("/proc/sys/kernel/sysrq", "1");
	write_file("/proc/sysrq-trigger", "c");
	return 0;
}

static int do_hang(void)
{
	plan(1);
	run("canned.hang");
	return forever();
}

/* The whole guest stands still, the emulator does not end. */
static int do_halt(void)
{
	plan(1);
	run("canned.halt");
	reboot(RB_HALT_SYSTEM);
	return forever();
}

/* All looks well, then the guest is gone. */
static int do_silent(void)
{
	do_pass();
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return forever();
}

static int do_truncated(void)
{
	plan(3);
	puts("ok 1 canned.one");
	puts("ok 2 canned.two");
	return 0;
}

static int do_empty(void)
{
	return 0;
}

static int do_liar(void)
{
	do_fail();
	return 0;
}

static int do_killed(void)
{
	plan(1);
	run("canned.killed");
	abort();
}

static int do_warn(void)
{
	plan(1);
	run("canned.warn");
	usleep(200000);		/* init marks the log when it reads the line above */
	write_file("/dev/kmsg", "<4>WARNING: CPU: 0 PID: 1 at fs/fuse/canned.c:1 canned+0x1/0x2\n");
	puts("ok 1 canned.warn");
	return 0;
}

/* A report of lockdep: only its later lines tell which cycle it is. */
static int report_cycle(const char *function)
{
	char line[128];

	plan(1);
	run("canned.cycle");
	usleep(200000);
	write_file("/dev/kmsg", "<4>WARNING: possible circular locking dependency detected\n");
	snprintf(line, sizeof(line), "<4> %s+0x1/0x2\n", function);
	write_file("/dev/kmsg", line);
	puts("ok 1 canned.cycle");
	return 0;
}

static int do_known_cycle(void)
{
	return report_cycle("fuse_passthrough_splice_write");
}

static int do_other_cycle(void)
{
	return report_cycle("fuse_passthrough_read_iter");
}

static int do_taint(void)
{
	write_file("/proc/sys/kernel/tainted", "512");
	return do_pass();
}

/* Leaves a process behind that holds the output open, and says nothing. */
static int do_orphan(void)
{
	if (!fork())
		forever();
	return do_pass();
}

static const struct {
	const char *name;
	int (*run)(void);
} behaviours[] = {
	{ "pass", do_pass }, { "fail", do_fail }, { "skip", do_skip },
	{ "skip_each", do_skip_each }, { "known", do_known }, { "gone", do_gone },
	{ "crash", do_crash }, { "hang", do_hang }, { "halt", do_halt },
	{ "silent", do_silent }, { "truncated", do_truncated }, { "empty", do_empty },
	{ "liar", do_liar }, { "killed", do_killed }, { "warn", do_warn },
	{ "known_cycle", do_known_cycle }, { "other_cycle", do_other_cycle },
	{ "taint", do_taint }, { "orphan", do_orphan }, { NULL, NULL },
};

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	name = name ? name + 1 : argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "--list")) {
		for (int i = 0; behaviours[i].name; i++)
			puts(behaviours[i].name);
		return 0;
	}
	for (int i = 0; behaviours[i].name; i++)
		if (!strcmp(behaviours[i].name, name))
			return behaviours[i].run();
	fprintf(stderr, "%s: no such behaviour\n", name);
	return 2;
}
