/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUSE_EXPLORE_EMIT_H
#define FUSE_EXPLORE_EMIT_H

#include "trace.h"

/*
 * Print a C program that does what @t says on a mount of its own, served by
 * itself; it needs no library of ours and none of FUSE. 0 or -errno.
 */
int emit_reproducer(const struct trace *t, FILE *to);

#endif /* FUSE_EXPLORE_EMIT_H */
