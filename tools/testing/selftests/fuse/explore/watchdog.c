// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "job.h"
#include "watchdog.h"

/* A look that comes later than that was held up itself: stopped, or not scheduled. */
#define MOST_OF_A_LOOK	(2 * WATCHDOG_LOOK_MS / 1000.0)

/* Seconds in which at least one task of the machine was held up; 0 without CONFIG_PSI. */
static double pressure(const char *path)
{
	unsigned long long us = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	if (fscanf(f, "some avg10=%*f avg60=%*f avg300=%*f total=%llu", &us) != 1)
		us = 0;
	fclose(f);
	return us / 1e6;
}

static void read_pressures(struct instant *now)
{
	now->stalled[PRESSURE_CPU] = pressure("/proc/pressure/cpu");
	now->stalled[PRESSURE_IO] = pressure("/proc/pressure/io");
	now->stalled[PRESSURE_MEMORY] = pressure("/proc/pressure/memory");
}

void watch_begin(struct watch *w)
{
	w->looked = job_now();
	w->now.clock = 0;
	read_pressures(&w->now);
}

void watch_look(struct watch *w)
{
	double now = job_now();

	w->now.clock += MIN(now - w->looked, MOST_OF_A_LOOK);
	w->looked = now;
	read_pressures(&w->now);
}

/* The worst of them: one task may wait for two of them in turn, not at once. */
static double stalled(const struct instant *from, const struct instant *to)
{
	double worst = 0;
	int i;

	for (i = 0; i < NR_PRESSURES; i++)
		worst = MAX(worst, to->stalled[i] - from->stalled[i]);
	return worst;
}

bool watch_stuck(const struct watch *w, struct watched *who, unsigned long beats)
{
	double waited;

	if (beats != who->beats) {
		who->beats = beats;
		who->since = w->now;
	}
	waited = w->now.clock - who->since.clock;
	return waited >= WATCHDOG_LIMIT ||
	       waited - stalled(&who->since, &w->now) >= WATCHDOG_SECONDS;
}

/* --- where it is stuck ---------------------------------------------------------------- */

/* The state of a task in @group, '\0' of any other; and its name. */
static char state_in_group(const char *pid, pid_t group, char name[16])
{
	char path[64], state = '\0';
	int pgrp = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return '\0';
	if (fscanf(f, "%*d (%15[^)]) %c %*d %d", name, &state, &pgrp) != 3 || pgrp != group)
		state = '\0';
	fclose(f);
	return state;
}

static void read_wchan(const char *pid, const char *tid, char where[64])
{
	char path[64];
	FILE *f;

	snprintf(where, 64, "?");
	snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/wchan", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fscanf(f, "%63s", where) != 1)
		snprintf(where, 64, "?");
	fclose(f);
}

static size_t add_tasks(const char *pid, const char *name, char state, char *buf, size_t len)
{
	char path[64], where[64];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d)) && n < len) {
		if (e->d_name[0] == '.')
			continue;
		read_wchan(pid, e->d_name, where);
		n += snprintf(buf + n, len - n, "; %s %.10s (%c) in %s", name, e->d_name, state,
			      where);
	}
	if (d)
		closedir(d);
	return MIN(n, len);
}

const char *watch_where(pid_t group, char *buf, size_t len)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char name[16], state;
	size_t n = 0;

	buf[0] = '\0';
	while (d && (e = readdir(d)) && n < len) {
		state = atoi(e->d_name) > 0 ? state_in_group(e->d_name, group, name) : '\0';
		if (state)
			n += add_tasks(e->d_name, name, state, buf + n, len - n);
	}
	if (d)
		closedir(d);
	return buf;
}
