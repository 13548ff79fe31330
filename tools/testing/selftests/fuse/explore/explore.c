// SPDX-License-Identifier: GPL-2.0
/* Random histories over every view of one file; see --help. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deviation.h"
#include "emit.h"
#include "generator.h"
#include "options.h"
#include "shrink.h"
#include "survey.h"

/* Candidates stop being tried after that. */
#define SHRINK_SECONDS	120

/* --- files ------------------------------------------------------------------------- */

static int print_to(const char *path, const struct trace *t,
		    int (*print)(const struct trace *t, FILE *to))
{
	FILE *f = fopen(path, "w");
	int err;

	if (!f)
		return -errno;
	err = print(t, f);
	if (fclose(f) && !err)
		err = -errno;
	return err;
}

/* Write by @print to a temporary name, then rename: never half a file. */
static int write_file(const char *path, const struct trace *t,
		      int (*print)(const struct trace *t, FILE *to))
{
	char temporary[PATH_MAX];
	struct stat st;
	int err;

	/* Nor a file in place of /dev/stdout. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return print_to(path, t, print);
	if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	err = print_to(temporary, t, print);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

static int complain(const char *path, int err)
{
	fprintf(stderr, "explore: %s: %s\n", path, strerror(-err));
	return EXIT_USAGE;
}

/* More text than any trace of TRACE_MAX_STEPS lines has is refused. */
#define LONGEST_TEXT	((size_t)TRACE_MAX_STEPS * TRACE_LINE)

static int grow(char **text, size_t *room)
{
	char *larger;

	if (*room >= LONGEST_TEXT)
		return -EFBIG;
	*room *= 2;
	larger = realloc(*text, *room);
	if (!larger)
		return -ENOMEM;
	*text = larger;
	return 0;
}

/* All of it, be it a file or a pipe. */
static int read_all(int fd, char **text, size_t *len)
{
	size_t room = 64 * 1024;
	ssize_t n;
	int err;

	*text = malloc(room);
	if (!*text)
		return -ENOMEM;
	for (*len = 0;; *len += n) {
		err = *len == room ? grow(text, &room) : 0;
		if (err)
			return err;
		n = read(fd, *text + *len, room - *len);
		if (n <= 0)
			return n ? -errno : 0;
	}
}

static int parse(const struct options *o, const char *text, size_t len, struct trace *t)
{
	struct trace_error error;
	int err = trace_parse(t, &o->voc, text, len, &error);

	if (err == -EINVAL) {
		fprintf(stderr, "explore: %s:%u:%u: %s\n", o->replay, error.line, error.column,
			error.why);
		return EXIT_USAGE;
	}
	if (err)
		return complain(o->replay, err);
	if (t->count)
		return -1;
	fprintf(stderr, "explore: %s: no step in it\n", o->replay);
	return EXIT_USAGE;
}

static int load_trace(const struct options *o, struct trace *t)
{
	int fd = open(o->replay, O_RDONLY | O_CLOEXEC), ret;
	char *text = NULL;
	size_t len;

	if (fd < 0)
		return complain(o->replay, -errno);
	ret = read_all(fd, &text, &len);
	close(fd);
	ret = ret ? complain(o->replay, ret) : parse(o, text, len, t);
	free(text);
	return ret;
}

/* --- verdicts ------------------------------------------------------------------------ */

/* What is no finding, and no pass either. */
static int nothing_ran(const struct outcome *out)
{
	fprintf(stderr, "explore: %s\n", out->why);
	return out->finding.kind == FOUND_UNSUPPORTED ? EXIT_NOTHING : EXIT_TROUBLE;
}

static bool is_verdict(const struct outcome *out)
{
	return out->finding.kind != FOUND_TROUBLE && out->finding.kind != FOUND_UNSUPPORTED;
}

static void print_counts(const struct options *o, const struct outcome *out)
{
	const struct deviation *d;

	if (o->quiet)
		return;
	printf("explore: %llu steps, %llu skipped, %llu comparisons on %s in %.2f s, %.0f steps/s\n",
	       (unsigned long long)out->counts.steps, (unsigned long long)out->counts.skipped,
	       (unsigned long long)out->counts.comparisons, o->runner.fs, out->took,
	       out->counts.steps / out->took);
	if (!o->concurrent)
		printf("explore: digest of the histories %016llx\n",
		       (unsigned long long)out->counts.drawn);
	if (out->counts.refused_below)
		printf("explore: %llu reads were refused by %s itself\n",
		       (unsigned long long)out->counts.refused_below, o->runner.fs);
	for (d = deviations; d->id; d++)
		if (out->counts.deviations[d - deviations])
			printf("explore: known deviation %s seen %llu times\n", d->id,
			       (unsigned long long)out->counts.deviations[d - deviations]);
}

static void print_steps(const struct trace *t)
{
	char line[TRACE_LINE];
	size_t i;

	printf("  attr-timeout %u\n", t->attr_timeout);
	for (i = 0; i < t->count; i++)
		printf("  %s\n", step_text(&t->steps[i], line, sizeof(line)));
}

/* Who hangs or dies reports nothing itself. */
static void print_last_words(const struct outcome *out)
{
	if (out->finding.kind == FOUND_HANG || out->finding.kind == FOUND_DEATH)
		printf("  %s in step %zu: %s\n", finding_name(out->finding.kind), out->step + 1,
		       out->finding.what);
}

/* The least that shows it as a C program, and one more run that says in full what is wrong. */
static int explain(const struct options *o, const struct trace *t, const char *name,
		   const char *trace)
{
	char source[PATH_MAX], command[PATH_MAX + 64];
	struct outcome out;
	int err;

	snprintf(source, sizeof(source), "%s/%s.c", o->output, name);
	err = write_file(source, t, emit_reproducer);
	if (err)
		return complain(source, err);
	snprintf(command, sizeof(command), "explore --fs %s%s --replay %s", o->runner.fs,
		 o->runner.strict ? " --strict" : "", trace);
	print_steps(t);
	isolate_trace(t, &o->runner, command, true, &out);
	print_last_words(&out);
	printf("  stand-alone: gcc -o %s %s && ./%s\n", name, source, name);
	return EXIT_FOUND;
}

static void print_shrunk(const struct shrink *s, size_t before, size_t after)
{
	if (!s->found) {
		printf("explore: not found again in %u runs; not shrunk\n", s->runs);
		return;
	}
	printf("explore: shrunk from %zu to %zu steps in %u runs, %.1f s; ", before, after,
	       s->runs, s->took);
	printf("found in %u of %u runs\n", s->found, s->again);
}

static int shrink_finding(const struct options *o, struct trace *t, const struct outcome *out)
{
	struct shrink s = {
		.voc = &o->voc, .opt = &o->runner, .seconds = SHRINK_SECONDS,
		.progress = !o->quiet && isatty(STDERR_FILENO),
	};
	char name[64], path[PATH_MAX];
	size_t before = t->count;
	int err = 0;

	printf("explore: seed %llu: %s%s%s at step %zu of %zu\n",
	       (unsigned long long)out->seed, finding_name(out->finding.kind),
	       out->finding.deviation ? ", known deviation " : "",
	       out->finding.deviation ?: "", out->step, before);
	/* It may never come again. */
	print_last_words(out);
	if (!o->keep) {
		err = shrink(&s, t, out);
		print_shrunk(&s, before, t->count);
	}
	snprintf(name, sizeof(name), "explore-%llu", (unsigned long long)out->seed);
	snprintf(path, sizeof(path), "%s/%s.trace", o->output, name);
	if (!err)
		err = write_file(path, t, trace_print);
	if (err)
		return complain(path, err);
	printf("  trace: %s\n", path);
	return s.found ? explain(o, t, name, path) : EXIT_FOUND;
}

/* --- modes ---------------------------------------------------------------------------- */

static int run_trace(const struct options *o)
{
	char command[PATH_MAX];
	struct outcome out;
	struct trace t;
	int ret;

	trace_init(&t);
	ret = load_trace(o, &t);
	if (ret < 0) {
		snprintf(command, sizeof(command), "explore --fs %s --replay %s", o->runner.fs,
			 o->replay);
		isolate_trace(&t, &o->runner, command, true, &out);
		if (!is_verdict(&out)) {
			ret = nothing_ran(&out);
		} else if (out.finding.kind == FOUND_NOTHING) {
			print_counts(o, &out);
			ret = EXIT_CLEAN;
		} else {
			printf("explore: %s: %s at step %zu of %zu\n", o->replay,
			       finding_name(out.finding.kind), out.step, t.count);
			ret = EXIT_FOUND;
		}
	}
	trace_free(&t);
	return ret;
}

static int record(const struct options *o)
{
	struct trace t;
	int err;

	trace_init(&t);
	err = generate(&t, &o->voc, o->seed, o->ops);
	if (!err)
		err = write_file(o->record, &t, trace_print);
	trace_free(&t);
	return err ? complain(o->record, err) : EXIT_CLEAN;
}

static int run_campaign(const struct options *o)
{
	char command[PATH_MAX];
	const struct campaign c = {
		.voc = &o->voc, .seed = o->seed, .histories = o->histories, .steps = o->ops,
		.command = command, .seconds = o->seconds, .jobs = o->jobs, .actors = o->concurrent,
		.progress = !o->quiet && isatty(STDERR_FILENO),
	};
	struct outcome out;
	struct trace t;
	int ret, n;

	n = snprintf(command, sizeof(command), "explore --fs %s --seed %llu --ops %u",
		     o->runner.fs, (unsigned long long)o->seed, o->ops);
	if (o->concurrent)
		snprintf(command + n, sizeof(command) - n, " --concurrent %u", o->concurrent);
	isolate_campaign(&c, &o->runner, &out);
	if (!is_verdict(&out))
		return nothing_ran(&out);
	print_counts(o, &out);
	if (out.finding.kind == FOUND_NOTHING)
		return EXIT_CLEAN;
	/* Another run is another order of things: there is nothing to shrink. */
	if (o->concurrent)
		return EXIT_FOUND;
	trace_init(&t);
	ret = EXIT_TROUBLE;
	if (!generate(&t, &o->voc, out.seed, o->ops))
		ret = shrink_finding(o, &t, &out);
	trace_free(&t);
	return ret;
}

/* The backing file system is made once, for all children. */
static int prepare(const struct options *o)
{
	struct sandbox_options opt = { .fs = o->runner.fs, .unmounted = true };
	enum sandbox_result result;
	struct sandbox sb;
	char why[256];

	result = sandbox_enter(why, sizeof(why));
	if (result == SANDBOX_OK) {
		result = sandbox_create(&sb, &opt);
		if (result == SANDBOX_OK)
			sandbox_destroy(&sb);
		else
			snprintf(why, sizeof(why), "%s", sb.why);
	}
	if (result == SANDBOX_OK)
		return -1;
	fprintf(stderr, "explore: %s\n", why);
	return result == SANDBOX_UNSUPPORTED ? EXIT_NOTHING : EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
	struct options o;
	int ret = options_parse(&o, argc, argv);

	if (ret >= 0)
		return ret;
	if (o.list) {
		vocabulary_print(&o.voc);
		return EXIT_CLEAN;
	}
	if (o.record)
		return record(&o);
	if (!o.replay && (!o.quiet || o.histories != 1))
		printf("explore: seed %llu\n", (unsigned long long)o.seed);
	ret = prepare(&o);
	if (ret >= 0)
		return ret;
	if (o.survey)
		return survey(&o);
	return o.replay ? run_trace(&o) : run_campaign(&o);
}
