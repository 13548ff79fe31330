// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "isolate.h"
#include "shrink.h"
#include "survey.h"

/* From one hunt's first seed to the next one's: more than one gets to. */
#define SEED_STRIDE	1000

/* What makes the finding small enough to read is found long before. */
#define SHRINK_SECONDS	60

struct catch {
	double actions, seconds;	/* until it was found */
	double steps, acts;		/* of what it shrank to; without those that open */
};

static bool hunt(const struct options *o, uint64_t seed, struct outcome *out)
{
	const struct campaign c = {
		.voc = &o->voc, .seed = seed, .histories = o->histories, .steps = o->ops,
		.seconds = o->seconds, .jobs = 1, .quiet = true,
	};

	isolate_campaign(&c, &o->runner, out);
	return out->finding.kind != FOUND_NOTHING;
}

static int shrink_it(const struct options *o, struct outcome *out, struct catch *c)
{
	struct shrink s = { .voc = &o->voc, .opt = &o->runner, .seconds = SHRINK_SECONDS };
	char line[TRACE_LINE];
	struct trace t;
	size_t i;
	int err;

	printf("seed %llu: %s%s%s after %.0f actions, %.2f s; ", (unsigned long long)out->seed,
	       finding_name(out->finding.kind), out->finding.deviation ? " " : "",
	       out->finding.deviation ?: "", c->actions, c->seconds);
	if (o->keep) {
		puts("not shrunk");
		return 0;
	}
	fflush(stdout);
	trace_init(&t);
	err = generate(&t, &o->voc, out->seed, o->ops);
	if (!err)
		err = shrink(&s, &t, out);
	if (!err) {
		c->steps = t.count;
		for (i = 0; i < t.count; i++)
			c->acts += t.steps[i].verb->kind != VERB_OPEN;
		printf("shrunk in %.2f s to %.0f steps, %.0f after open:", s.took, c->steps,
		       c->acts);
		for (i = 0; i < t.count; i++)
			printf(" %s;", step_text(&t.steps[i], line, sizeof(line)));
		putchar('\n');
		fflush(stdout);
	}
	trace_free(&t);
	return err;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median and largest of a member, at @offset, of @n catches. */
static void print_column(const struct catch *catches, unsigned int n, size_t offset,
			 const char *what)
{
	double *column = calloc(n, sizeof(*column));
	unsigned int i;

	if (!column)
		return;
	for (i = 0; i < n; i++)
		column[i] = *(const double *)((const char *)&catches[i] + offset);
	qsort(column, n, sizeof(*column), compare);
	printf("survey: %s: median %.6g, most %.6g\n", what, column[(n - 1) / 2], column[n - 1]);
	free(column);
}

static void print_catches(const struct options *o, const struct catch *catches, unsigned int n)
{
	printf("survey: found in %u of %u hunts on %s\n", n, o->survey, o->runner.fs);
	if (!n)
		return;
	print_column(catches, n, offsetof(struct catch, actions), "actions until found");
	print_column(catches, n, offsetof(struct catch, seconds), "seconds until found");
	if (o->keep)
		return;
	print_column(catches, n, offsetof(struct catch, steps), "steps when shrunk");
	print_column(catches, n, offsetof(struct catch, acts), "steps after open when shrunk");
}

int survey(const struct options *o)
{
	struct catch *catches = calloc(o->survey, sizeof(*catches)), *c = catches;
	struct outcome out;
	unsigned int i;
	int ret = -1;

	for (i = 0; c && i < o->survey && ret < 0; i++) {
		if (!hunt(o, o->seed + (uint64_t)i * SEED_STRIDE, &out))
			continue;
		if (out.finding.kind == FOUND_TROUBLE || out.finding.kind == FOUND_UNSUPPORTED) {
			fprintf(stderr, "explore: %s\n", out.why);
			ret = out.finding.kind == FOUND_TROUBLE ? EXIT_TROUBLE : EXIT_NOTHING;
			break;
		}
		c->actions = out.counts.steps;
		c->seconds = out.took;
		if (shrink_it(o, &out, c++))
			ret = EXIT_TROUBLE;
	}
	if (!catches)
		ret = EXIT_TROUBLE;
	if (ret < 0) {
		print_catches(o, catches, c - catches);
		ret = c - catches == o->survey ? EXIT_FOUND : EXIT_CLEAN;
	}
	free(catches);
	return ret;
}
