// SPDX-License-Identifier: GPL-2.0
/* A history as a C program: the server and the views, then one call a step. */
#include <errno.h>

#include "emit.h"
#include "runner.h"

/* reproducer/reproducer.c, as it is; paths are those of the Makefile's directory. */
__asm__(".pushsection .rodata\n"
	".global reproducer_text, reproducer_end\n"
	"reproducer_text:\n"
	".incbin \"explore/reproducer/reproducer.c\"\n"
	"reproducer_end:\n"
	".popsection\n");

extern const char reproducer_text[], reproducer_end[];

static void emit_call(const struct step *s, FILE *to)
{
	const char *view = view_specs[s->view].name, *name = s->verb->name;

	switch (s->verb->kind) {
	case VERB_ACTION:
		fprintf(to, "\t%s(%s, \"%s\", %u, %u);\n",
			s->verb->action->kind == ACTION_READ ? "read_view" : "write_view",
			view, name, s->len, s->off);
		break;
	case VERB_CONTROL:
		fprintf(to, "\tcontrol(%s, \"%s\", %u, %u);\n", view, name, s->len, s->off);
		break;
	case VERB_OPEN:
		fprintf(to, "\topen_view(%s, %u, %u);\n", view, s->off, s->len);
		break;
	case VERB_CLOSE:
		fprintf(to, "\tclose_view(%s);\n", view);
		break;
	case VERB_CLOSE_FD:
		fprintf(to, "\tclose_fd(%s);\n", view);
		break;
	case VERB_STAT:
		fprintf(to, "\tstat_view(%s);\n", view);
		break;
	case VERB_SET_TIMES:
		fprintf(to, "\tset_times(%s);\n", view);
		break;
	case VERB_CHECK:
		fprintf(to, "\tcheck(%u, 0, 0);\n", TRACE_ROOM);
		break;
	default:
		/* Kept as a comment: it needs a second process or the server's help. */
		break;
	}
}

static void emit_step(const struct step *s, FILE *to)
{
	uint32_t from = s->off > RUNNER_MARGIN ? s->off - RUNNER_MARGIN : 0;
	char line[TRACE_LINE];

	fprintf(to, "\t/* %s */\n", step_text(s, line, sizeof(line)));
	emit_call(s, to);
	/* What is read after a step may be part of what goes wrong. */
	if (s->verb->args & VERB_HAS_RANGE)
		fprintf(to, "\tcheck(%u, %u, %d);\n", s->off + s->len + RUNNER_MARGIN - from,
			from, s->quiet);
}

int emit_reproducer(const struct trace *t, FILE *to)
{
	size_t i;

	fwrite(reproducer_text, 1, reproducer_end - reproducer_text, to);
	fprintf(to, "\nstatic const unsigned int attr_timeout = %u;\n", t->attr_timeout);
	fprintf(to, "\nstatic void history(void)\n{\n");
	for (i = 0; i < t->count; i++)
		emit_step(&t->steps[i], to);
	fprintf(to, "\tcheck(%u, 0, 0);\n}\n", TRACE_ROOM);
	return fflush(to) || ferror(to) ? -EIO : 0;
}
