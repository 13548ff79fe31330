// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

const char *const actor_names[NR_ACTORS] = {
	[SELF] = "self", [CHILD] = "child", [OTHER] = "other",
};

void trace_init(struct trace *t)
{
	memset(t, 0, sizeof(*t));
	t->attr_timeout = TRACE_LONG_TIMEOUT;
}

void trace_free(struct trace *t)
{
	free(t->steps);
	memset(t, 0, sizeof(*t));
}

static int make_room(struct trace *t, size_t count)
{
	size_t room = t->room ?: 64;
	struct step *steps;

	while (room < count)
		room *= 2;
	if (room == t->room)
		return 0;
	steps = realloc(t->steps, room * sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	t->steps = steps;
	t->room = room;
	return 0;
}

int trace_add(struct trace *t, const struct step *step)
{
	int err;

	if (t->count == TRACE_MAX_STEPS)
		return -E2BIG;
	err = make_room(t, t->count + 1);
	if (!err)
		t->steps[t->count++] = *step;
	return err;
}

int trace_copy(struct trace *to, const struct trace *from)
{
	int err = make_room(to, from->count);

	if (err)
		return err;
	if (from->count)
		memcpy(to->steps, from->steps, from->count * sizeof(*from->steps));
	to->count = from->count;
	to->attr_timeout = from->attr_timeout;
	return 0;
}

static bool step_equal(const struct step *a, const struct step *b)
{
	unsigned int args = a->verb->args;

	return a->verb == b->verb && a->actor == b->actor && a->quiet == b->quiet &&
	       (!(args & VERB_HAS_VIEW) || a->view == b->view) &&
	       (!(args & VERB_HAS_OFF) || a->off == b->off) &&
	       (!(args & VERB_HAS_LEN) || a->len == b->len);
}

bool trace_equal(const struct trace *a, const struct trace *b)
{
	size_t i;

	if (a->count != b->count || a->attr_timeout != b->attr_timeout)
		return false;
	for (i = 0; i < a->count; i++)
		if (!step_equal(&a->steps[i], &b->steps[i]))
			return false;
	return true;
}

/* Fowler, Noll, Vo: FNV-1a, a word at a time. */
#define DIGEST_BASIS	0xcbf29ce484222325ULL
#define DIGEST_PRIME	0x100000001b3ULL

static uint64_t mix(uint64_t digest, uint64_t word)
{
	return (digest ^ word) * DIGEST_PRIME;
}

uint64_t digest_begin(unsigned int attr_timeout)
{
	return mix(DIGEST_BASIS, attr_timeout);
}

/* By name: where a verb stands in the table is a matter of the build. */
uint64_t digest_step(uint64_t digest, const struct step *step)
{
	unsigned int args = step->verb->args;
	const char *c;

	for (c = step->verb->name; *c; c++)
		digest = mix(digest, *c);
	digest = mix(digest, step->actor << 1 | step->quiet);
	if (args & VERB_HAS_VIEW)
		digest = mix(digest, step->view);
	if (args & VERB_HAS_RANGE)
		digest = mix(digest, (uint64_t)step->off << 32 | step->len);
	return digest;
}

uint64_t trace_digest(const struct trace *t)
{
	uint64_t digest = digest_begin(t->attr_timeout);
	size_t i;

	for (i = 0; i < t->count; i++)
		digest = digest_step(digest, &t->steps[i]);
	return digest;
}

const char *step_text(const struct step *step, char *buf, size_t len)
{
	unsigned int args = step->verb->args;
	size_t n;

	n = snprintf(buf, len, "%s %s", actor_names[step->actor], step->verb->name);
	if (args & VERB_HAS_VIEW && n < len)
		n += snprintf(buf + n, len - n, " %s", view_specs[step->view].name);
	if (args & VERB_HAS_OFF && n < len)
		n += snprintf(buf + n, len - n, " %u", step->off);
	if (args & VERB_HAS_LEN && n < len)
		n += snprintf(buf + n, len - n, " %u", step->len);
	if (step->quiet && n < len)
		snprintf(buf + n, len - n, " quiet");
	return buf;
}

int trace_print(const struct trace *t, FILE *to)
{
	char line[TRACE_LINE];
	size_t i;

	fprintf(to, "attr-timeout %u\n", t->attr_timeout);
	for (i = 0; i < t->count; i++)
		fprintf(to, "%s\n", step_text(&t->steps[i], line, sizeof(line)));
	return fflush(to) || ferror(to) ? -EIO : 0;
}
