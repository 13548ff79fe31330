/* SPDX-License-Identifier: GPL-2.0 */
/* What is asked of processes time and again. */
#ifndef FUSE_SELFTEST_PROCESS_H
#define FUSE_SELFTEST_PROCESS_H

#include <sys/types.h>

/*
 * getpid(2) without the system call. What is kept for later (a pipe, a ring, an
 * open file of /proc/self) notes its owner by it, so that a forked child makes
 * its own.
 */
pid_t process_id(void);

/*
 * State of a process or thread, proc_pid_stat(5): 'D' waits for what no signal ends,
 * 'S' for what one does, 'T' is stopped. 0 if there is none.
 */
char process_state(pid_t tid);

#endif /* FUSE_SELFTEST_PROCESS_H */
