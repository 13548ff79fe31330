/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An actor is a process with views of its own: the test itself, a child that
 * inherited the test's views by fork(2), or another process that opens its own.
 * The test asks; the actor does one thing at a time and answers.
 */
#ifndef FUSE_SELFTEST_ACTOR_H
#define FUSE_SELFTEST_ACTOR_H

#include <sys/types.h>

#include "action.h"
#include "view.h"

/*
 * Lives in memory shared by all processes, so everybody sees which views are
 * open; descriptors and addresses in @views mean something in that process only.
 */
struct actor {
	const char *name;		/* "self", "child", "other" */
	pid_t pid;			/* 0: the test itself */
	int sock;			/* the test's end: asks and answers */
	ssize_t (*fn)(struct actor *a, void *arg);	/* what is asked */
	void *arg;
	ssize_t result;
	struct view views[NR_VIEW_SPECS];
};

/* The test itself. */
void actor_self(struct actor *a);

/*
 * Fork @a, which must be in shared memory. It inherits the open views of @parent
 * (may be NULL). @close_fd, if not negative, is closed in it: the FUSE device,
 * which nobody but the server may pin. 0 or -errno.
 */
int actor_fork(struct actor *a, const char *name, const struct actor *parent, int close_fd);

/* End it without cleaning up, as exit(2) does; its views die with it. */
void actor_end(struct actor *a);

/* Is there such a process? True for the test itself. */
bool actor_alive(const struct actor *a);

/*
 * Run @fn in the process of @a. @arg points to shared memory, or to what was
 * there before the fork. What @fn returned, or -EPIPE if the actor is dead.
 */
ssize_t actor_call(struct actor *a, ssize_t (*fn)(struct actor *a, void *arg), void *arg);

#endif /* FUSE_SELFTEST_ACTOR_H */
