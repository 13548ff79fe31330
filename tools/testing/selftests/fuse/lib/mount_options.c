// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest.h"

#include "mount_options.h"
#include "mountinfo.h"

#define DEFAULT_TIMEOUT 1.0
#define DEFAULT_THREADS 4
#define MAX_THREADS 16
#define MAX_TIMEOUT 1e9

/* --- options of mount(8) that are bits of mount(2) -------------------------- */

struct flag_option {
	const char *name;
	unsigned long set;
	unsigned long clear;
};

static const struct flag_option flag_options[] = {
	{ "ro", MS_RDONLY, 0 },		{ "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },	{ "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },	{ "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },	{ "exec", 0, MS_NOEXEC },
	{ "sync", MS_SYNCHRONOUS, 0 },	{ "async", 0, MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC, 0 },
	{ "noatime", MS_NOATIME, 0 },	{ "atime", 0, MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME, 0 }, { "diratime", 0, MS_NODIRATIME },
	{ "relatime", MS_RELATIME, 0 },	{ "norelatime", 0, MS_RELATIME },
	{ "strictatime", MS_STRICTATIME, 0 },
	{ "lazytime", MS_LAZYTIME, 0 },	{ "nolazytime", 0, MS_LAZYTIME },
	{ "defaults", 0, 0 },
};

static bool take_flag(struct mount_options *opt, const char *name)
{
	for (size_t i = 0; i < sizeof(flag_options) / sizeof(*flag_options); i++) {
		if (strcmp(flag_options[i].name, name))
			continue;
		opt->server.mount_flags |= flag_options[i].set;
		opt->server.mount_flags &= ~flag_options[i].clear;
		return true;
	}
	return false;
}

/* Meant for mount(8), init or nobody. "x-" options are comments by convention. */
static bool is_ignored(const char *name)
{
	static const char *const ignored[] = {
		"auto", "noauto", "user", "nouser", "users", "owner", "group", "_netdev",
		"nofail", "nonempty", "fsname", "subtype", "comment", NULL,
	};

	if (!strncmp(name, "x-", 2))
		return true;
	for (int i = 0; ignored[i]; i++)
		if (!strcmp(ignored[i], name))
			return true;
	return false;
}

/* --- our own ------------------------------------------------------------------ */

static enum mount_options_result __printf(3, 4)
wrong(char *why, size_t len, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, len, format, args);
	va_end(args);
	return MOUNT_OPTIONS_WRONG;
}

/* Mode names as the server gives them; "+" may stand for "|", which shells like to eat. */
static bool take_mode(struct mount_options *opt, const char *value)
{
	char name[32];

	snprintf(name, sizeof(name), "%s", value);
	for (char *c = name; *c; c++)
		if (*c == '+')
			*c = '|';
	for (enum server_mode mode = 0; mode < SERVER_MODES; mode++) {
		if (strcmp(server_mode_name(mode), name))
			continue;
		opt->server.mode = mode;
		return true;
	}
	return false;
}

static bool take_seconds(double *seconds, const char *value)
{
	char *end;

	*seconds = strtod(value, &end);
	return end != value && !*end && *seconds >= 0 && *seconds <= MAX_TIMEOUT;
}

static bool take_number(unsigned int *number, const char *value, unsigned int min,
			unsigned int max)
{
	unsigned long parsed;
	char *end;

	errno = 0;
	parsed = strtoul(value, &end, 10);
	*number = parsed;
	return *value >= '0' && *value <= '9' && !*end && !errno && parsed >= min &&
	       parsed <= max;
}

/* For the kernel to judge; it knows best what it takes. */
static bool pass_on(struct mount_options *opt, const char *name, const char *value)
{
	size_t used = strlen(opt->data);
	int len = snprintf(opt->data + used, sizeof(opt->data) - used, "%s%s%s%s",
			   used ? "," : "", name, value ? "=" : "", value ?: "");

	return len < (int)(sizeof(opt->data) - used);
}

static bool is_for_kernel(const char *name)
{
	return !strcmp(name, "allow_other") || !strcmp(name, "default_permissions") ||
	       !strcmp(name, "max_read");
}

enum taken {
	TAKEN,
	BAD_VALUE,
	UNKNOWN,
};

static enum taken take_valued(struct mount_options *opt, const char *name, const char *value)
{
	struct server_options *server = &opt->server;
	bool good;

	if (!strcmp(name, "mode"))
		good = take_mode(opt, value);
	else if (!strcmp(name, "attr_timeout"))
		good = take_seconds(&server->attr_timeout, value);
	else if (!strcmp(name, "entry_timeout"))
		good = take_seconds(&server->entry_timeout, value);
	else if (!strcmp(name, "threads"))
		good = take_number(&server->threads, value, 1, MAX_THREADS);
	else if (!strcmp(name, "stack_depth"))
		good = take_number(&server->stack_depth, value, 1, 2);
	else if (!strcmp(name, "stats"))
		good = *value;
	else
		return UNKNOWN;
	if (good && !strcmp(name, "stats"))
		opt->stats = value;
	return good ? TAKEN : BAD_VALUE;
}

static enum taken take_option(struct mount_options *opt, const char *name, const char *value)
{
	if (is_ignored(name))
		return TAKEN;
	if (is_for_kernel(name))
		return pass_on(opt, name, value) ? TAKEN : BAD_VALUE;
	if (value)
		return take_valued(opt, name, value);
	if (!strcmp(name, "auto_unmount"))
		opt->auto_unmount = true;
	else if (!strcmp(name, "noxattr"))
		opt->no_xattr = true;
	else if (!take_flag(opt, name))
		return UNKNOWN;
	return TAKEN;
}

/* The copy is kept: the name of the statistics file is a part of it. */
static enum mount_options_result take_list(struct mount_options *opt, const char *arg, char *why,
					   size_t len)
{
	char *list = strdup(arg);
	char *name, *rest;

	if (!list)
		return wrong(why, len, "out of memory");
	for (name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(name, '=');

		if (value)
			*value++ = '\0';
		switch (take_option(opt, name, value)) {
		case TAKEN:
			break;
		case BAD_VALUE:
			return wrong(why, len, "option %s: bad value \"%s\"", name, value ?: "");
		case UNKNOWN:
			return wrong(why, len, "unknown option \"%s\"%s", name,
				     value ? "" : " or missing value");
		}
	}
	return MOUNT_OPTIONS_OK;
}

/* A path that does not exist is kept as it is, for the message about it. */
static void absolute(char *out, const char *path)
{
	if (!realpath(path, out))
		snprintf(out, PATH_MAX, "%s", path);
}

enum mount_options_result mount_options_parse(struct mount_options *opt, int argc, char **argv,
					      char *why, size_t len)
{
	enum mount_options_result result = MOUNT_OPTIONS_OK;
	int c;

	*opt = (struct mount_options) {
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = DEFAULT_TIMEOUT,
			.entry_timeout = DEFAULT_TIMEOUT,
			.threads = DEFAULT_THREADS,
			.mount_type = "fuse.passthrough_mount",
		},
	};
	opterr = 0;
	optind = 0;	/* start over: it may not be the first call in the process */
	while (result == MOUNT_OPTIONS_OK && (c = getopt(argc, argv, "fho:")) != -1) {
		if (c == 'f')
			opt->foreground = true;
		else if (c == 'h')
			return MOUNT_OPTIONS_HELP;
		else if (c == 'o')
			result = take_list(opt, optarg, why, len);
		else
			return wrong(why, len, "unknown option or missing value: -%c", optopt);
	}
	if (result != MOUNT_OPTIONS_OK)
		return result;
	if (argc - optind != 2)
		return wrong(why, len, "%d arguments instead of BACKING and MOUNTPOINT",
			     argc - optind);

	absolute(opt->backing, argv[optind]);
	absolute(opt->mountpoint, argv[optind + 1]);
	opt->server.mount_source = opt->backing;
	opt->server.mount_options = opt->data;
	return MOUNT_OPTIONS_OK;
}

/* --- mounts --------------------------------------------------------------------- */

bool mount_options_is_mounted(const char *path, const char *type)
{
	struct mount_entry entry;

	return mountinfo_last_below(path, &entry) && !strcmp(entry.point, path) &&
	       !strcmp(entry.type, type);
}

/* After an orderly end something else may be there, which is not ours to unmount. */
static bool is_without_server(const char *path)
{
	struct statx stx;

	return statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_TYPE, &stx) && errno == ENOTCONN;
}

/* The descriptors of the caller must not live on in here: somebody may wait for their end. */
static void guard(const char *path, int parent)
{
	struct pollfd ended = { .fd = dup2(parent, 0), .events = POLLIN };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	syscall(SYS_close_range, 1, ~0U, 0);
	if (chdir("/"))
		return;
	while (poll(&ended, 1, -1) != 1)
		;
	if (is_without_server(path))
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

int mount_options_guard(const char *path)
{
	int parent = syscall(SYS_pidfd_open, getpid(), 0);
	pid_t pid;

	if (parent < 0)
		return -1;
	pid = fork();
	if (!pid) {
		guard(path, parent);
		_exit(0);
	}
	close(parent);
	return pid < 0 ? -1 : 0;
}
