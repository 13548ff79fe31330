// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory_group.h"
#include "namespace.h"
#include "reason.h"
#include "text_file.h"

/* For the last process of the group to be gone. */
#define REMOVE_SECONDS	5

#define SUBTREE		"cgroup.subtree_control"

/* Is @word one of the blank-separated words of the file? */
static bool lists(int dir, const char *name, const char *word)
{
	char text[512], *at, *save;

	if (text_file_read(dir, name, text, sizeof(text)) < 0)
		return false;
	for (at = strtok_r(text, "\n ", &save); at; at = strtok_r(NULL, "\n ", &save))
		if (!strcmp(at, word))
			return true;
	return false;
}

/* Has a hierarchy of version 1 the memory controller? It is listed by its number then. */
static bool is_of_v1(void)
{
	FILE *f = fopen("/proc/cgroups", "re");
	char line[128];
	int number = 0;

	while (f && !number && fgets(line, sizeof(line), f))
		if (sscanf(line, "memory %d", &number) != 1)
			number = 0;
	if (f)
		fclose(f);
	return number;
}

/* The top of that hierarchy, mounted in the sandbox. Descriptor or -errno. */
static int mount_top(const struct sandbox *sb, bool v2)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%.4000s/cgroup", sb->dir);
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	if (mount(NAMESPACE_TAG, path, v2 ? "cgroup2" : "cgroup", 0, v2 ? NULL : "memory"))
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void remove_group(int top, const char *name)
{
	const time_t end = time(NULL) + REMOVE_SECONDS;

	while (unlinkat(top, name, AT_REMOVEDIR) && errno == EBUSY && time(NULL) < end)
		sched_yield();
}

/* Until nobody holds the other end of @kept: of @top, what was found there is restored. */
static void keep_group(int top, const char *name, int kept, bool enabled)
{
	sigset_t all;
	char byte;

	/* Whoever ends the test by its process group must not leave the group. */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	while (read(kept, &byte, 1) < 0)
		if (errno != EINTR)
			break;
	remove_group(top, name);
	if (enabled)
		text_file_write(top, SUBTREE, "-memory");
}

/* Version 2 gives a group its controllers only if the group above says so. */
static enum sandbox_result enable(int top, bool *enabled, const struct reason *why)
{
	int err;

	if (!lists(top, "cgroup.controllers", "memory"))
		return because(why, SANDBOX_UNSUPPORTED,
			       "no memory controller (CONFIG_MEMCG) in the cgroups seen from here");
	if (lists(top, SUBTREE, "memory"))
		return SANDBOX_OK;
	err = text_file_write(top, SUBTREE, "+memory");
	if (err)
		return because(why, SANDBOX_UNSUPPORTED,
			       "the memory controller may not be passed on to a new cgroup: %s",
			       strerror(-err));
	*enabled = true;
	return SANDBOX_OK;
}

static enum sandbox_result start_keeper(struct memory_group *g, int top, const char *name,
					bool enabled, const struct sandbox *sb,
					const struct reason *why)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return because(why, SANDBOX_BROKEN, "pipe: %s", strerror(errno));
	g->keeper = fork();
	if (!g->keeper) {
		close(ends[1]);
		close(server_device(sb->server));
		keep_group(top, name, ends[0], enabled);
		_exit(0);
	}
	close(ends[0]);
	g->keep = ends[1];
	if (g->keeper > 0)
		return SANDBOX_OK;
	close(g->keep);
	g->keeper = 0;
	return because(why, SANDBOX_BROKEN, "fork: %s", strerror(errno));
}

static enum sandbox_result make(struct memory_group *g, int top, const struct sandbox *sb,
				long bytes, const struct reason *why)
{
	enum sandbox_result result;
	char name[64], limit[32];
	bool enabled = false;
	int err;

	if (g->v2) {
		result = enable(top, &enabled, why);
		if (result != SANDBOX_OK)
			return result;
	}
	snprintf(name, sizeof(name), NAMESPACE_TAG "-%d-%u", namespace_program(),
		 namespace_unique());
	/* Its keeper first: there is no instant at which nobody would remove it. */
	result = start_keeper(g, top, name, enabled, sb, why);
	if (result != SANDBOX_OK)
		return result;
	if (mkdirat(top, name, 0700))
		return because(why, SANDBOX_UNSUPPORTED, "no cgroup can be made here: %s",
			       strerror(errno));
	g->dir = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(limit, sizeof(limit), "%ld", bytes);
	err = text_file_write(g->dir, g->v2 ? "memory.max" : "memory.limit_in_bytes", limit);
	if (err)
		return because(why, SANDBOX_BROKEN, "limiting a cgroup: %s", strerror(-err));
	return SANDBOX_OK;
}

enum sandbox_result memory_group_create(struct memory_group *g, const struct sandbox *sb,
					long bytes, char *text, size_t len)
{
	const struct reason why = { text, len };
	enum sandbox_result result;
	int top;

	*g = (struct memory_group) { .dir = -1, .v2 = !is_of_v1() };
	top = mount_top(sb, g->v2);
	if (top < 0)
		return because(&why, SANDBOX_UNSUPPORTED,
			       "the cgroup hierarchy with the memory controller cannot be mounted: %s",
			       strerror(-top));
	result = make(g, top, sb, bytes, &why);
	close(top);
	if (result != SANDBOX_OK)
		memory_group_destroy(g);
	return result;
}

int memory_group_enter(const struct memory_group *g)
{
	return text_file_write(g->dir, "cgroup.procs", "0");
}

long memory_group_hits(const struct memory_group *g)
{
	char text[512], *at;
	int ret = text_file_read(g->dir, g->v2 ? "memory.events" : "memory.failcnt", text,
				 sizeof(text));

	if (ret < 0)
		return ret;
	if (!g->v2)
		return atol(text);
	at = strstr(text, "\nmax ");
	return at ? atol(at + 5) : -EBADMSG;
}

void memory_group_destroy(struct memory_group *g)
{
	if (!g->keeper)
		return;
	if (g->dir >= 0)
		close(g->dir);
	close(g->keep);
	waitpid(g->keeper, NULL, 0);
	g->keeper = 0;
}
