/* SPDX-License-Identifier: GPL-2.0 */
/* A kernel that lacks what this one has. */
#ifndef FUSE_SELFTEST_HIDE_H
#define FUSE_SELFTEST_HIDE_H

#include <stddef.h>

/*
 * Make system calls say ENOSYS to this process and to what it forks, for good: at
 * most HIDE_CALLS of them, by number. 0 or -errno; -EINVAL without
 * CONFIG_SECCOMP_FILTER.
 */
#define HIDE_CALLS	8
int hide_system_calls(const unsigned int *numbers, size_t count);

#endif /* FUSE_SELFTEST_HIDE_H */
