// SPDX-License-Identifier: GPL-2.0
/* Text to trace; every complaint has a line and a column. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

/* The longest word: verbs are shorter, numbers too. */
#define WORD	32

struct parser {
	const struct vocabulary *voc;
	struct trace *trace;
	struct trace_error *error;
	const char *line, *at, *end;	/* of the line being read */
	unsigned int number;
};

static int __attribute__((format(printf, 3, 4)))
complain(struct parser *p, const char *at, const char *fmt, ...)
{
	va_list args;

	p->error->line = p->number;
	p->error->column = at - p->line + 1;
	va_start(args, fmt);
	vsnprintf(p->error->why, sizeof(p->error->why), fmt, args);
	va_end(args);
	return -EINVAL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Next word into @word; *@at where it starts. False at the end of the line. */
static bool next_word(struct parser *p, char word[WORD], const char **at)
{
	size_t n = 0;

	while (p->at < p->end && is_space(*p->at))
		p->at++;
	*at = p->at;
	if (p->at == p->end || *p->at == '#')
		return false;
	while (p->at < p->end && !is_space(*p->at) && *p->at != '#') {
		/* A word that is too long is kept short: no table has it. */
		if (n < WORD - 1)
			word[n++] = *p->at >= ' ' && *p->at <= '~' ? *p->at : '?';
		p->at++;
	}
	word[n] = '\0';
	return true;
}

static int parse_number(struct parser *p, const char *what, uint32_t max, uint32_t *value)
{
	const char *at, *c;
	char word[WORD];
	uint64_t n = 0;

	if (!next_word(p, word, &at))
		return complain(p, at, "%s expected", what);
	for (c = word; *c; c++) {
		if (*c < '0' || *c > '9')
			return complain(p, at, "%s must be a number, not '%s'", what, word);
		n = n * 10 + (*c - '0');
		if (n > max)
			return complain(p, at, "%s is larger than %u", what, max);
	}
	*value = n;
	return 0;
}

static int parse_view(struct parser *p, struct step *step)
{
	const char *at;
	char word[WORD];
	int id;

	if (!next_word(p, word, &at))
		return complain(p, at, "view expected after '%s'", step->verb->name);
	for (id = 0; id < NR_VIEW_SPECS; id++)
		if (!strcmp(view_specs[id].name, word))
			break;
	if (id == NR_VIEW_SPECS)
		return complain(p, at, "unknown view '%s' (see --list)", word);
	step->view = id;
	return 0;
}

static int parse_args(struct parser *p, struct step *step)
{
	unsigned int args = step->verb->args;
	int err = 0;

	if (args & VERB_HAS_VIEW)
		err = parse_view(p, step);
	if (!err && args & VERB_HAS_OFF)
		err = parse_number(p, "offset", TRACE_ROOM, &step->off);
	if (!err && args & VERB_HAS_LEN)
		err = parse_number(p, "length", TRACE_ROOM, &step->len);
	return err;
}

/* The end of the line, after an optional "quiet" where @step is not NULL. */
static int parse_end(struct parser *p, struct step *step)
{
	const char *at;
	char word[WORD];

	if (!next_word(p, word, &at))
		return 0;
	if (step && !step->quiet && !strcmp(word, "quiet")) {
		step->quiet = true;
		return parse_end(p, step);
	}
	return complain(p, at, "unexpected '%s'", word);
}

static int parse_step(struct parser *p, enum actor_id actor)
{
	struct step step = { .actor = actor };
	const char *at;
	char word[WORD];
	int err;

	if (!next_word(p, word, &at))
		return complain(p, at, "action expected after '%s'", actor_names[actor]);
	step.verb = verb_find(p->voc, word);
	if (!step.verb)
		return complain(p, at, "unknown action '%s' (see --list)", word);
	err = parse_args(p, &step);
	if (!err)
		err = parse_end(p, &step);
	if (err)
		return err;
	err = trace_add(p->trace, &step);
	return err == -E2BIG ? complain(p, at, "more than %u steps", TRACE_MAX_STEPS) : err;
}

static int parse_setting(struct parser *p, const char *word, const char *at)
{
	uint32_t value;
	int err;

	if (strcmp(word, "attr-timeout"))
		return complain(p, at, "unknown actor or setting '%s'", word);
	if (p->trace->count)
		return complain(p, at, "settings come before the first step");
	err = parse_number(p, "timeout", TRACE_LONG_TIMEOUT, &value);
	if (err)
		return err;
	p->trace->attr_timeout = value;
	return parse_end(p, NULL);
}

static int parse_line(struct parser *p)
{
	const char *at;
	char word[WORD];
	int actor;

	if (!next_word(p, word, &at))
		return 0;
	for (actor = 0; actor < NR_ACTORS; actor++)
		if (!strcmp(actor_names[actor], word))
			return parse_step(p, actor);
	return parse_setting(p, word, at);
}

int trace_parse(struct trace *t, const struct vocabulary *voc, const char *text, size_t len,
		struct trace_error *error)
{
	struct parser p = { .voc = voc, .trace = t, .error = error };
	const char *end = text + len;
	int err;

	while (text < end) {
		p.line = text;
		p.at = text;
		p.end = memchr(text, '\n', end - text) ?: end;
		p.number++;
		if (p.end - p.line >= TRACE_LINE)
			return complain(&p, p.line + TRACE_LINE - 1, "line is too long");
		err = parse_line(&p);
		if (err)
			return err;
		text = p.end + 1;
	}
	return 0;
}
