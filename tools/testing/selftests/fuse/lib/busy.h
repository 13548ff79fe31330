/* SPDX-License-Identifier: GPL-2.0 */
/* A load of everything at once on a sandbox, to be killed or unmounted under. */
#ifndef FUSE_SELFTEST_BUSY_H
#define FUSE_SELFTEST_BUSY_H

#include "sandbox.h"

struct busy;

/*
 * Start threads, one of them with child processes, that open, map, fault, store,
 * write, truncate, look up and unmount in @sb until told otherwise. What fails
 * there is of no interest; SIGBUS ends the process. NULL when it cannot be started.
 */
struct busy *busy_start(const struct sandbox *sb);

/* End them. */
void busy_stop(struct busy *busy);

#endif /* FUSE_SELFTEST_BUSY_H */
