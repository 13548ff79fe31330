// SPDX-License-Identifier: GPL-2.0
/* passthrough_mount(), from the command line to the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#include "abi.h"
#include "mount_options.h"
#include "mount_tool.h"
#include "opcode.h"
#include "server.h"

enum exit_status {
	EXIT_MOUNTED = 0,
	EXIT_USAGE = 1,
	EXIT_SYSTEM = 2,
	EXIT_MOUNT = 32,
};

static const char usage_text[] =
	"usage: passthrough_mount [-f] [-o options] BACKING MOUNTPOINT\n"
	"  -f                    stay in the foreground\n"
	"  -h                    show this\n"
	"  -o mode=MODE          passthrough (default), passthrough+direct, cached, keep_cache,\n"
	"                        direct, direct+parallel\n"
	"  -o attr_timeout=SEC,entry_timeout=SEC   how long the kernel may cache (default 1)\n"
	"  -o threads=N          that serve requests (default 4)\n"
	"  -o stack_depth=1|2    2 if BACKING is on a stacking file system (default 1)\n"
	"  -o stats=FILE         append request counts at the end and on SIGUSR1 (default: stderr)\n"
	"  -o auto_unmount       unmount even if killed\n"
	"  -o noxattr            no extended attributes; spares a GETXATTR for each write\n"
	"  -o allow_other,default_permissions,max_read=N,ro,noexec,...   as in mount.fuse3(8)\n";

static enum exit_status __printf(2, 3)
fail(enum exit_status status, const char *format, ...)
{
	va_list args;

	fputs("passthrough_mount: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* --- before mounting ------------------------------------------------------ */

static enum exit_status check_backing(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return fail(EXIT_MOUNT, "backing %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(EXIT_MOUNT, "backing %s: not a directory", path);
	return EXIT_MOUNTED;
}

static enum exit_status check_mountpoint(const char *path, const char *type)
{
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_TYPE, &stx)) {
		if (errno == ENOTCONN)
			return fail(EXIT_MOUNT, "%s: a FUSE mount without its server: umount it",
				    path);
		return fail(EXIT_MOUNT, "mountpoint %s: %s", path, strerror(errno));
	}
	if (!S_ISDIR(stx.stx_mode))
		return fail(EXIT_MOUNT, "mountpoint %s: not a directory", path);
	if (mount_options_is_mounted(path, type))
		return fail(EXIT_MOUNT, "mountpoint %s: already mounted", path);
	return EXIT_MOUNTED;
}

/*
 * A mountpoint inside the backing directory would make the server wait for
 * itself. One on top of it is fine: the directory was opened before.
 */
static enum exit_status check_nesting(const char *backing, const char *mountpoint)
{
	size_t len = strlen(backing);

	if (!strncmp(mountpoint, backing, len) && mountpoint[len] == '/')
		return fail(EXIT_MOUNT, "mountpoint %s is inside the backing directory",
			    mountpoint);
	return EXIT_MOUNTED;
}

static enum exit_status check(const struct mount_options *opt)
{
	enum exit_status status;

	if (geteuid())
		return fail(EXIT_MOUNT, "not root: FUSE passthrough needs CAP_SYS_ADMIN");
	status = check_backing(opt->backing);
	if (!status)
		status = check_mountpoint(opt->mountpoint, opt->server.mount_type);
	if (!status)
		status = check_nesting(opt->backing, opt->mountpoint);
	return status;
}

/*
 * The kernel looks for file capabilities to drop before each write(2), and asks
 * the server every time, until it learns that there is nothing to ask for.
 */
static void refuse_xattr(struct server *srv)
{
	static const uint32_t opcodes[] = {
		FUSE_GETXATTR, FUSE_SETXATTR, FUSE_LISTXATTR, FUSE_REMOVEXATTR,
	};

	for (size_t i = 0; i < sizeof(opcodes) / sizeof(*opcodes); i++)
		server_fail(srv, opcodes[i], ENOSYS, UINT_MAX);
}

/* --- mounted ---------------------------------------------------------------- */

static bool wants_passthrough(enum server_mode mode)
{
	return mode == SERVER_PASSTHROUGH || mode == SERVER_PASSTHROUGH_DIRECT;
}

static enum exit_status start(struct server **srv, const struct mount_options *opt)
{
	struct utsname uts;
	int ret = server_start(srv, opt->backing, opt->mountpoint, &opt->server);

	if (ret == -EINVAL)
		return fail(EXIT_MOUNT, "%s: the kernel refused the mount options \"%s\"",
			    opt->mountpoint, opt->server.mount_options);
	if (ret)
		return fail(EXIT_MOUNT, "%s: %s", opt->mountpoint, strerror(-ret));
	if (wants_passthrough(opt->server.mode) && server_abi(*srv) == SERVER_ABI_NONE) {
		uname(&uts);
		server_stop(*srv);
		return fail(EXIT_MOUNT, "kernel %s has no FUSE passthrough: try -o mode=cached",
			    uts.release);
	}
	return EXIT_MOUNTED;
}

static void write_stats(const struct server *srv, const struct mount_options *opt)
{
	FILE *out = opt->stats ? fopen(opt->stats, "ae") : stderr;

	if (!out) {
		fail(EXIT_SYSTEM, "%s: %s", opt->stats, strerror(errno));
		return;
	}
	fprintf(out, "%s:", opt->mountpoint);
	for (unsigned int opcode = 1; opcode < OPCODE_END; opcode++) {
		uint64_t count = server_requests(srv, opcode);

		if (count)
			fprintf(out, " %s %llu", opcode_name(opcode), (unsigned long long)count);
	}
	fputc('\n', out);
	if (opt->stats)
		fclose(out);
}

/* Until a signal asks to unmount or somebody else has done it. */
static void run(struct server *srv, const struct mount_options *opt, int signals)
{
	struct pollfd ready[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = server_ended_fd(srv), .events = POLLIN },
	};
	struct signalfd_siginfo info;

	while (!ready[1].revents) {
		if (poll(ready, 2, -1) < 0)
			continue;
		if (!ready[0].revents || read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGUSR1)
			break;
		write_stats(srv, opt);
	}
	write_stats(srv, opt);
}

/* One byte tells the waiting parent that the mount stands; its end without one that it failed. */
static void report_mounted(int ready)
{
	static const char mounted = 1;

	if (ready < 0)
		return;
	if (write(ready, &mounted, 1) != 1)
		fail(EXIT_SYSTEM, "nobody waits for the mount");
	close(ready);
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(null);
}

static enum exit_status serve(const struct mount_options *opt, int ready)
{
	enum exit_status status;
	struct server *srv;
	sigset_t set;
	int signals;

	/* Before any thread exists, so that all of them leave the signals to run(). */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return fail(EXIT_SYSTEM, "signalfd: %s", strerror(errno));

	/* Before the mount: whoever sees it may kill us at once. */
	if (opt->auto_unmount && mount_options_guard(opt->mountpoint))
		return fail(EXIT_SYSTEM, "auto_unmount does not work: %s", strerror(errno));
	status = start(&srv, opt);
	if (status)
		return status;
	if (opt->no_xattr)
		refuse_xattr(srv);
	report_mounted(ready);
	if (!opt->foreground)
		leave_terminal();
	run(srv, opt, signals);
	server_stop(srv);
	return EXIT_MOUNTED;
}

/* The parent ends when the mount stands or has failed; the message was the child's. */
static enum exit_status serve_in_background(const struct mount_options *opt)
{
	enum exit_status status;
	int ready[2], ended;
	char mounted;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return fail(EXIT_SYSTEM, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		return fail(EXIT_SYSTEM, "fork: %s", strerror(errno));
	if (!pid) {
		close(ready[0]);
		setsid();
		if (chdir("/"))
			return EXIT_SYSTEM;
		return serve(opt, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &mounted, 1) == 1)
		return EXIT_MOUNTED;
	status = EXIT_SYSTEM;
	if (waitpid(pid, &ended, 0) == pid && WIFEXITED(ended))
		status = WEXITSTATUS(ended);
	return status;
}

int passthrough_mount(int argc, char **argv)
{
	struct mount_options opt;
	enum exit_status status;
	char why[256];

	switch (mount_options_parse(&opt, argc, argv, why, sizeof(why))) {
	case MOUNT_OPTIONS_OK:
		break;
	case MOUNT_OPTIONS_HELP:
		fputs(usage_text, stdout);
		return 0;
	case MOUNT_OPTIONS_WRONG:
		return fail(EXIT_USAGE, "%s (-h shows the usage)", why);
	}
	status = check(&opt);
	if (status)
		return status;
	return opt.foreground ? serve(&opt, -1) : serve_in_background(&opt);
}
