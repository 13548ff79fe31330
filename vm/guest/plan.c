// SPDX-License-Identifier: GPL-2.0
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT	300

static int add_program(struct plan *plan, char *words)
{
	char *save = NULL, **argv;
	unsigned int n = 0;

	if (plan->programs == PLAN_PROGRAMS)
		return -E2BIG;
	argv = calloc(PLAN_ARGS + 1, sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (n == PLAN_ARGS)
			return -E2BIG;
		argv[n++] = strdup(w);
	}
	if (!n)
		return -EINVAL;
	plan->argv[plan->programs++] = argv;
	return 0;
}

static int add_skipped(struct plan *plan, char *words)
{
	char *why = strchr(words, ' ');
	int err;

	if (!why)
		return -EINVAL;
	*why++ = '\0';
	err = add_program(plan, words);
	if (!err)
		plan->skip[plan->programs - 1] = strdup(why);
	return err;
}

static int read_item(struct plan *plan, char *item)
{
	char *rest = strchr(item, ' ');

	if (rest)
		*rest++ = '\0';
	else
		rest = item + strlen(item);

	if (!strcmp(item, "nonce"))
		snprintf(plan->nonce, sizeof(plan->nonce), "%s", rest);
	else if (!strcmp(item, "report"))
		snprintf(plan->report, sizeof(plan->report), "%s", rest);
	else if (!strcmp(item, "timeout"))
		plan->timeout = strtoul(rest, NULL, 10);
	else if (!strcmp(item, "set"))
		return putenv(strdup(rest)) ? -ENOMEM : 0;
	else if (!strcmp(item, "program"))
		return add_program(plan, rest);
	else if (!strcmp(item, "skip"))
		return add_skipped(plan, rest);
	else if (!strcmp(item, "shell"))
		plan->shell = true;
	else
		return -EINVAL;
	return 0;
}

int plan_read(struct plan *plan, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[8192];
	int err = 0;

	memset(plan, 0, sizeof(*plan));
	plan->timeout = DEFAULT_TIMEOUT;
	if (!file)
		return -errno;
	while (!err && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			err = read_item(plan, line);
	}
	fclose(file);
	return err;
}
