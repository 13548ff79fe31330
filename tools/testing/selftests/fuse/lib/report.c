// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest.h"

#include "abi.h"
#include "report.h"

bool report_select(struct report_case *c, const char *fmt, ...)
{
	const char *only = getenv("FUSE_TEST_CASE");
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->name, sizeof(c->name), fmt, args);
	va_end(args);
	return !only || !strcmp(only, c->name);
}

void report_line(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* One call, so that lines of several processes do not mix. */
	printf("# %s\n", line);
	fflush(stdout);
}

const char *report_open_flags(int flags, char *buf, size_t len)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ O_APPEND, "|O_APPEND" },
		{ O_DIRECT, "|O_DIRECT" },
		{ O_SYNC, "|O_SYNC" },
		{ O_TRUNC, "|O_TRUNC" },
		{ }
	};
	static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "?" };
	size_t i, n;

	n = snprintf(buf, len, "%s", access[flags & O_ACCMODE]);
	for (i = 0; names[i].bit && n < len; i++)
		if ((flags & names[i].bit) == names[i].bit)
			n += snprintf(buf + n, len - n, "%s", names[i].name);
	return buf;
}

static const char *view_text(const struct view_spec *v, char *buf, size_t len)
{
	const char *side = v->side == VIEW_FUSE ? "through FUSE" : "of the backing file";
	char flags[64];

	report_open_flags(v->open_flags, flags, sizeof(flags));
	if (v->prot)
		snprintf(buf, len, "%s (%s %s mapping %s, %s)", v->name,
			 v->map_flags & MAP_PRIVATE ? "private" : "shared",
			 v->prot & PROT_WRITE ? "writable" : "read-only", side, flags);
	else
		snprintf(buf, len, "%s (descriptor %s, %s)", v->name, side, flags);
	return buf;
}

static const char *hex(const unsigned char *bytes, size_t len, char *buf)
{
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < len; i++)
		sprintf(buf + 3 * i, " %02x", bytes[i]);
	return buf;
}

static const char *author_text(const struct oracle_entry *e, const char *nobody,
			       char *buf, size_t len)
{
	if (!e->seq)
		return nobody;
	snprintf(buf, len, "#%u %s through %s by %s at [%lld, +%zu)", e->seq, e->action,
		 e->view, e->actor, (long long)e->off, e->len);
	return buf;
}

void report_rerun(const struct report_case *c)
{
	const char *program = c->program ?: "PROGRAM";
	static const char *const passed_on[] = {
		"FUSE_TEST_FAULT", "FUSE_STRICT", "FUSE_EXPLORE_SECONDS", "FUSE_EXPLORE_SEED",
	};
	char env[512] = "";
	size_t i, n = 0;

	if (c->name[0])
		n += snprintf(env, sizeof(env), "FUSE_TEST_CASE='%s' ", c->name);
	for (i = 0; i < ARRAY_SIZE(passed_on); i++)
		if (getenv(passed_on[i]) && n < sizeof(env))
			n += snprintf(env + n, sizeof(env) - n, "%s=%s ", passed_on[i],
				      getenv(passed_on[i]));
	if (c->command)
		report_line("  rerun: %s%s", env, c->command);
	else
		report_line("  rerun: %s%s -r %s", env, program, c->test);
}

void report_mismatch(const struct report_case *c, const char *who, const struct view_spec *view,
		     const char *action, const struct oracle_mismatch *m)
{
	size_t shown = m->len < sizeof(m->seen) ? m->len : sizeof(m->seen);
	long page = sysconf(_SC_PAGESIZE);
	struct utsname uts;
	char text[256], bytes[64];

	uname(&uts);
	report_line("INCOHERENT: what %s sees by %s through %s",
		    who, action, view_text(view, text, sizeof(text)));
	report_line("  is not what was written: %s",
		    author_text(&m->expected_from, "nothing, a hole", text, sizeof(text)));
	report_line("  first differing range [%lld, %lld), %zu of its bytes shown; page %lld + %lld; %zu bytes differ in all",
		    (long long)m->off, (long long)(m->off + m->len), shown,
		    (long long)(m->off / page), (long long)(m->off % page), m->total);
	report_line("  expected%s", hex(m->expected, shown, bytes));
	report_line("  seen    %s  from %s", hex(m->seen, shown, bytes),
		    author_text(&m->seen_from, "no write of this history", text, sizeof(text)));
	report_line("  backing %s, kernel %s, page size %ld, server saw READ %llu WRITE %llu",
		    c->sb->fs, uts.release, page,
		    (unsigned long long)server_requests(c->sb->server, FUSE_READ),
		    (unsigned long long)server_requests(c->sb->server, FUSE_WRITE));
	if (c->name[0])
		report_line("  case: %s", c->name);
	report_rerun(c);
}
