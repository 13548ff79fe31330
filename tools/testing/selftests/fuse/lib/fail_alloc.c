// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail_alloc.h"
#include "reason.h"
#include "text_file.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define MAY_FAIL	"/proc/thread-self/make-it-fail"

/* More failures than anybody counts on. */
#define MANY		1000000

static const char *setting(const struct fail_alloc *f, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.4000s/failslab/%s", f->debugfs, name);
	return path;
}

static int set(const struct fail_alloc *f, const char *name, const char *value)
{
	char path[PATH_MAX];

	return text_file_write(AT_FDCWD, setting(f, name, path), value);
}

static const char *value_of(const struct fail_alloc *f, const char *name, char value[16])
{
	char path[PATH_MAX];

	text_file_read(AT_FDCWD, setting(f, name, path), value, 16);
	return value;
}

static bool has(const struct fail_alloc *f, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.4000s/%s", f->debugfs, name);
	return !access(path, F_OK);
}

static const char *number(int n, char text[16])
{
	snprintf(text, 16, "%d", n);
	return text;
}

static enum sandbox_result find_failslab(struct fail_alloc *f, const struct sandbox *sb,
					 const struct reason *why)
{
	snprintf(f->debugfs, sizeof(f->debugfs), "%.4000s/debugfs", sb->dir);
	if (mkdir(f->debugfs, 0700))
		return because(why, SANDBOX_BROKEN, "%s: %s", f->debugfs, strerror(errno));
	if (mount("debugfs", f->debugfs, "debugfs", 0, NULL)) {
		/* EPERM: debugfs=off, see kernel-parameters.txt. */
		if (errno == ENODEV || errno == EPERM)
			return because(why, SANDBOX_UNSUPPORTED, "no debugfs (CONFIG_DEBUG_FS): %s",
				       strerror(errno));
		return because(why, SANDBOX_BROKEN, "debugfs: %s", strerror(errno));
	}
	if (!has(f, "failslab"))
		return because(why, SANDBOX_UNSUPPORTED, "no failslab in debugfs (%s)",
			       "CONFIG_FAILSLAB, CONFIG_FAULT_INJECTION_DEBUG_FS");
	/* It counts with the allocations. */
	if (has(f, "fail_usercopy"))
		return because(why, SANDBOX_UNSUPPORTED, "this kernel's fail-nth is not only %s",
			       "of allocations (CONFIG_FAULT_INJECTION_USERCOPY)");
	return SANDBOX_OK;
}

static enum sandbox_result take_over(struct fail_alloc *f, const struct reason *why)
{
	char value[16];
	int err;

	f->wait_setting = value_of(f, "ignore-gfp-wait", value)[0];
	f->verbose_setting = atoi(value_of(f, "verbose", value));
	err = set(f, "ignore-gfp-wait", "N") ?: set(f, "verbose", "0");
	if (err)
		return because(why, SANDBOX_BROKEN, "failslab: %s", strerror(-err));
	return SANDBOX_OK;
}

enum sandbox_result fail_alloc_create(struct fail_alloc *f, const struct sandbox *sb,
				      char *why_text, size_t len)
{
	const struct reason why = { why_text, len };
	enum sandbox_result result;

	memset(f, 0, sizeof(*f));
	f->nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (f->nth < 0 && errno == ENOENT)
		return because(&why, SANDBOX_UNSUPPORTED, "no " FAIL_NTH
			       " in this kernel (CONFIG_FAULT_INJECTION)");
	if (f->nth < 0)
		return because(&why, SANDBOX_BROKEN, FAIL_NTH ": %s", strerror(errno));
	result = find_failslab(f, sb, &why);
	if (result == SANDBOX_OK)
		result = take_over(f, &why);
	if (result != SANDBOX_OK)
		fail_alloc_destroy(f);
	return result;
}

void fail_alloc_destroy(struct fail_alloc *f)
{
	char text[16];

	if (!f->debugfs[0])
		return;
	fail_alloc_from_end(f);
	if (f->wait_setting) {
		set(f, "verbose", number(f->verbose_setting, text));
		set(f, "ignore-gfp-wait", f->wait_setting == 'N' ? "N" : "Y");
	}
	close(f->nth);
	umount2(f->debugfs, MNT_DETACH);
	rmdir(f->debugfs);
	memset(f, 0, sizeof(*f));
}

int fail_alloc_nth(const struct fail_alloc *f, unsigned int n)
{
	char text[16];
	ssize_t len = strlen(number(n, text));

	return pwrite(f->nth, text, len, 0) == len ? 0 : -errno;
}

bool fail_alloc_nth_end(const struct fail_alloc *f)
{
	char left[16] = "";
	ssize_t n = pread(f->nth, left, sizeof(left) - 1, 0);

	/* Nothing is told of a count that is over but that it is 0. */
	return fail_alloc_nth(f, 0) == 0 && n > 0 && atoi(left) == 0;
}

static const char *slab_setting(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "/sys/kernel/slab/%s/failslab", name);
	return path;
}

enum sandbox_result fail_alloc_from(struct fail_alloc *f, const char *name, char *why_text,
				    size_t len)
{
	const struct reason why = { why_text, len };
	char path[PATH_MAX], text[16];
	int err;

	err = text_file_write(AT_FDCWD, slab_setting(name, path), "1");
	/* EINVAL: it is one with others. */
	if (err == -ENOENT || err == -EINVAL)
		return because(&why, SANDBOX_UNSUPPORTED, "slab cache %s %s", name,
			       "cannot be told from others (CONFIG_SLUB_DEBUG, slab_nomerge)");
	if (err)
		return because(&why, SANDBOX_BROKEN, "%s: %s", path, strerror(-err));
	snprintf(f->cache, sizeof(f->cache), "%s", name);
	/* Only tasks that ask for it: first of all settings. */
	err = set(f, "task-filter", "Y") ?: set(f, "cache-filter", "Y") ?:
	      set(f, "times", number(MANY, text)) ?: set(f, "interval", "1") ?:
	      set(f, "space", "0") ?: set(f, "probability", "100") ?:
	      text_file_write(AT_FDCWD, MAY_FAIL, "1");
	if (!err)
		return SANDBOX_OK;
	fail_alloc_from_end(f);
	return because(&why, SANDBOX_BROKEN, "failslab: %s", strerror(-err));
}

unsigned int fail_alloc_from_end(struct fail_alloc *f)
{
	char path[PATH_MAX], value[16];
	int left;

	if (!f->cache[0])
		return 0;
	text_file_write(AT_FDCWD, MAY_FAIL, "0");
	left = atoi(value_of(f, "times", value));
	set(f, "probability", "0");
	set(f, "cache-filter", "N");
	set(f, "task-filter", "N");
	text_file_write(AT_FDCWD, slab_setting(f->cache, path), "0");
	f->cache[0] = '\0';
	return MANY - left;
}
