/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a backing file system does by itself, asked of a file that FUSE has never
 * seen: a rule that does not hold there is nothing to hold FUSE to.
 *
 * SANDBOX_OK: it does. SANDBOX_UNSUPPORTED: it provably does not, a reason to
 * skip. SANDBOX_BROKEN: there is no telling. @why gets one line for the last two.
 */
#ifndef FUSE_SELFTEST_BACKING_PROBE_H
#define FUSE_SELFTEST_BACKING_PROBE_H

#include <stddef.h>

#include "sandbox.h"

/* A mapped store to a clean page moves mtime by the next msync(MS_SYNC). */
enum sandbox_result backing_probe_times(const struct sandbox *sb, char *why, size_t len);

/* open(O_DIRECT) works. */
enum sandbox_result backing_probe_direct(const struct sandbox *sb, char *why, size_t len);

/* fallocate(2) knows @mode, FALLOC_FL_*. */
enum sandbox_result backing_probe_fallocate(const struct sandbox *sb, int mode,
					    char *why, size_t len);

#endif /* FUSE_SELFTEST_BACKING_PROBE_H */
