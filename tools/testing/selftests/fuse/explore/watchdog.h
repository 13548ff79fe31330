/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When is a step that does not end a hang, and not a machine that is busy with
 * other things?
 */
#ifndef FUSE_EXPLORE_WATCHDOG_H
#define FUSE_EXPLORE_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* No step takes this long on a machine that has time for it. */
#define WATCHDOG_SECONDS	30
/* Nor this long on any: who spins for ever makes a machine look busy. */
#define WATCHDOG_LIMIT		600

/* How often it has to look. */
#define WATCHDOG_LOOK_MS	500

/* What the machine can run short of: /proc/pressure has a file of each. */
enum { PRESSURE_CPU, PRESSURE_IO, PRESSURE_MEMORY, NR_PRESSURES };

/* Seconds since some start. */
struct instant {
	double clock;			/* stands still while nobody looks */
	double stalled[NR_PRESSURES];	/* somebody on the machine had to wait for that */
};

/* The watch of one who looks at several workers. */
struct watch {
	struct instant now;
	double looked;
};

/* One worker: what it had done when it was last seen doing something. */
struct watched {
	unsigned long beats;
	struct instant since;
};

void watch_begin(struct watch *w);
/* To be called before each round of watch_stuck(). */
void watch_look(struct watch *w);

/* Has it made no step for longer than it can be excused? */
bool watch_stuck(const struct watch *w, struct watched *who, unsigned long beats);

/* Where the processes of a group wait, in the words of /proc/PID/wchan; @buf is returned. */
const char *watch_where(pid_t group, char *buf, size_t len);

#endif /* FUSE_EXPLORE_WATCHDOG_H */
