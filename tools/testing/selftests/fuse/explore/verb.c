// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest.h"

#include "report.h"
#include "trace.h"
#include "verb.h"

#define WEIGHT_READ	4
#define WEIGHT_WRITE	8
#define WEIGHT_CONTROL	2

/* What is not drawn as often as its kind. */
static const struct {
	const char *name;
	unsigned int weight;
} unusual[] = {
	{ "load", 12 }, { "store", 48 }, { "pwrite", 32 }, { "pread", 8 },
	/* two pipes each */
	{ "tee", 1 }, { "sendfile-read", 2 }, { "splice-read", 3 },
	{ "splice-write", 3 }, { "sendfile-write", 2 },
	{ "vmsplice-write", 1 },
	/* a queue set up and taken down each time */
	{ "aio-read", 1 }, { "aio-write", 1 }, { "uring-read", 1 }, { "uring-read-fixed", 1 },
	{ "uring-write", 1 }, { "uring-write-fixed", 1 }, { "uring-write-linked", 1 },
	{ "process-vm-read", 2 }, { "process-vm-write", 2 },
	{ "proc-mem-read", 1 }, { "proc-mem-write", 2 },
	/* through FUSE it is pwrite once more */
	{ "pwritev2-nowait", 1 },
	/* they wait for the disk */
	{ "pwritev2-dsync", 1 }, { "fsync", 1 }, { "fdatasync", 1 },
	{ "msync-sync", 2 }, { "msync-invalidate", 1 }, { "msync-async", 4 },
	{ "ftruncate", 5 }, { "punch-hole", 4 },
};

static const struct verb own[] = {
	{ "open", VERB_OPEN, VERB_HAS_VIEW | VERB_HAS_RANGE, 0, 4, NULL, NULL },
	{ "close", VERB_CLOSE, VERB_HAS_VIEW, 0, 3, NULL, NULL },
	{ "close-fd", VERB_CLOSE_FD, VERB_HAS_VIEW, ACTION_ON_MAP, 3, NULL, NULL },
	{ "fork", VERB_FORK, 0, 0, 1, NULL, NULL },
	{ "end", VERB_END, 0, 0, 1, NULL, NULL },
	{ "stat", VERB_STAT, VERB_HAS_VIEW, 0, 5, NULL, NULL },
	{ "seek-end", VERB_SEEK_END, VERB_HAS_VIEW, ACTION_ON_FD, 1, NULL, NULL },
	{ "set-times", VERB_SET_TIMES, VERB_HAS_VIEW, ACTION_ON_FD, 2, NULL, NULL },
	{ "invalidate", VERB_INVALIDATE, VERB_HAS_RANGE, 0, 1, NULL, NULL },
	{ "store-cache", VERB_STORE_CACHE, VERB_HAS_RANGE, 0, 1, NULL, NULL },
	{ "drop-caches", VERB_DROP_CACHES, 0, 0, 0, NULL, NULL },
	{ "check", VERB_CHECK, 0, 0, 1, NULL, NULL },
};

static unsigned int usual_weight(const char *name, unsigned int otherwise)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unusual); i++)
		if (!strcmp(unusual[i].name, name))
			return unusual[i].weight;
	return otherwise;
}

static int add(struct vocabulary *voc, const struct verb *verb)
{
	if (voc->count + 1 >= MAX_VERBS)
		return -E2BIG;
	voc->verbs[voc->count++] = *verb;
	return 0;
}

int vocabulary_init(struct vocabulary *voc)
{
	const struct control *c;
	const struct action *a;
	int err = 0;
	size_t i;

	memset(voc, 0, sizeof(*voc));
	for (i = 0; i < ARRAY_SIZE(own) && !err; i++)
		err = add(voc, &own[i]);
	for (a = actions; a->name && !err; a++)
		err = add(voc, &(struct verb) {
			.name = a->name, .kind = VERB_ACTION, .action = a, .needs = a->needs,
			.args = VERB_HAS_VIEW | VERB_HAS_RANGE,
			.weight = usual_weight(a->name, a->kind == ACTION_READ ?
					       WEIGHT_READ : WEIGHT_WRITE),
		});
	for (c = controls; c->name && !err; c++)
		err = add(voc, &(struct verb) {
			.name = c->name, .kind = VERB_CONTROL, .control = c, .needs = c->needs,
			.args = VERB_HAS_VIEW | VERB_HAS_RANGE,
			.weight = usual_weight(c->name, WEIGHT_CONTROL),
		});
	return err;
}

const struct verb *verb_find(const struct vocabulary *voc, const char *name)
{
	const struct verb *v;

	for (v = voc->verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static int set_weight(struct vocabulary *voc, const char *name, unsigned int weight)
{
	struct verb *v;
	int found = 0;

	for (v = voc->verbs; v->name; v++) {
		if (strcmp(name, "all") && strcmp(name, v->name))
			continue;
		v->weight = weight;
		found = 1;
	}
	return found ? 0 : -EINVAL;
}

int vocabulary_set_weights(struct vocabulary *voc, const char *text, char *why, size_t len)
{
	char list[1024], *name, *value, *end, *save;
	unsigned long weight;

	if (snprintf(list, sizeof(list), "%s", text) >= (int)sizeof(list)) {
		snprintf(why, len, "weights: more than %zu characters", sizeof(list) - 1);
		return -EINVAL;
	}
	if (!*list) {
		snprintf(why, len, "weights: needs a list, store=10,punch-hole=0");
		return -EINVAL;
	}
	for (name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		value = strchr(name, '=');
		if (value)
			*value++ = '\0';
		errno = 0;
		weight = value ? strtoul(value, &end, 10) : 0;
		if (!value || !*value || *end || errno || *value == '-' || weight > MAX_WEIGHT) {
			snprintf(why, len, "weights: '%s' needs =NUMBER of at most %d", name,
				 MAX_WEIGHT);
			return -EINVAL;
		}
		if (set_weight(voc, name, weight)) {
			snprintf(why, len, "weights: no action '%s' (see --list)", name);
			return -EINVAL;
		}
	}
	return 0;
}

static const char *args_text(unsigned int args)
{
	if (args & VERB_HAS_VIEW)
		return args & VERB_HAS_OFF ? "VIEW OFFSET LENGTH" : "VIEW";
	return args & VERB_HAS_OFF ? "OFFSET LENGTH" : "";
}

void vocabulary_print(const struct vocabulary *voc)
{
	const struct view_spec *spec;
	const struct verb *v;
	char flags[64];

	printf("weight  action\n");
	for (v = voc->verbs; v->name; v++)
		printf("%6u  %s %s\n", v->weight, v->name, args_text(v->args));
	printf("\nviews\n");
	for (spec = view_specs; spec < view_specs + NR_VIEW_SPECS; spec++) {
		report_open_flags(spec->open_flags, flags, sizeof(flags));
		printf("  %s  %s%s, %s, %s\n", spec->name,
		       !spec->prot ? "descriptor" : spec->prot & PROT_WRITE ?
		       "writable mapping" : "read-only mapping",
		       spec->map_flags & MAP_PRIVATE ? " (private)" : "", flags,
		       spec->side == VIEW_BACKING ? "of the backing file" :
		       server_mode_name(spec->mode));
	}
	printf("\nactors\n  self   the test\n  child  forked from it, inherits its views\n");
	printf("  other  a process that opens views of its own\n");
}
