/* SPDX-License-Identifier: GPL-2.0 */
/* Which process is this, asked a hundred thousand times. */
#ifndef FUSE_SELFTEST_PROCESS_H
#define FUSE_SELFTEST_PROCESS_H

#include <sys/types.h>

/*
 * getpid(2) without the system call. What is kept for later (a pipe, a ring, an
 * open file of /proc/self) notes its owner by it, so that a forked child makes
 * its own.
 */
pid_t process_id(void);

#endif /* FUSE_SELFTEST_PROCESS_H */
