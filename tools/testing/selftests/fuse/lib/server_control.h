/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tester and server tell each other: one block of shared memory, so that
 * forked children of the tester and a server in its own process see the same.
 * Every member is atomic; changes are announced through one futex word.
 */
#ifndef FUSE_SELFTEST_SERVER_CONTROL_H
#define FUSE_SELFTEST_SERVER_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server.h"

/* Opcodes with counters of their own; the highest of 6.18 is 53. */
#define CONTROL_OPCODES 128

enum control_state {
	CONTROL_STARTING,
	CONTROL_SERVING,	/* INIT was answered */
	CONTROL_ENDED,		/* the connection is gone or the server gave up */
};

enum control_hold {
	HOLD_NONE,
	HOLD_ARMED,		/* the next request will be withheld */
	HOLD_REPLY_ARMED,	/* ... carried out, and its reply withheld */
	HOLD_HELD,
	HOLD_RELEASED,		/* to be carried out or sent by the loop */
};

struct control {
	atomic_uint event;		/* futex: counts changes */
	atomic_uint waiters;
	atomic_uint state;		/* enum control_state */
	atomic_int error;		/* why it ended before it served, -errno */
	atomic_uint stopping;

	atomic_ullong init_offered;
	atomic_ullong init_replied;
	atomic_uint init_minor;		/* protocol 7.N of the kernel */

	atomic_uint mode;		/* enum server_mode, SERVER_MODES: forced reply */
	atomic_ullong forced;	/* open_flags << 32 | backing_id */
	atomic_ullong attr_ns;
	atomic_ullong entry_ns;

	atomic_ullong fail[CONTROL_OPCODES];	/* errno << 32 | how many more */
	atomic_uint hold[CONTROL_OPCODES];	/* enum control_hold */
	atomic_ullong seen[CONTROL_OPCODES];	/* read from the kernel */
	atomic_ullong done[CONTROL_OPCODES];	/* carried out, failed or withheld */
	atomic_ullong direct;			/* descriptors opened with O_DIRECT */
};

/* Slot of @opcode in the tables above; unknown ones share slot 0. */
static inline uint32_t control_slot(uint32_t opcode)
{
	return opcode < CONTROL_OPCODES ? opcode : 0;
}

/* Tell the waiters that something changed. */
void control_announce(struct control *ctl);

/*
 * Sleep until @ready(ctl, arg) holds: 0, or -ETIMEDOUT after
 * SERVER_WAIT_SECONDS.
 */
int control_wait(struct control *ctl, bool (*ready)(struct control *ctl, const void *arg),
		 const void *arg);

void control_set_state(struct control *ctl, enum control_state state);

/* Consume one injected failure of @opcode: its errno, 0 if none is due. */
int control_take_failure(struct control *ctl, uint32_t opcode);

#endif /* FUSE_SELFTEST_SERVER_CONTROL_H */
