/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guardian: one small process of its own session beside the program, which
 * takes down the FUSE mounts of testers that died without doing so.
 *
 * It learns of the death from a sentinel (sentinel.h), aborts the connection
 * through fusectl and detaches the mounts.
 */
#ifndef FUSE_SELFTEST_GUARDIAN_H
#define FUSE_SELFTEST_GUARDIAN_H

struct ward;

/*
 * Start the guardian of this program. @fusectl is where fusectl is mounted. To
 * be called in the mount namespace of the sandboxes, while the program is still
 * single-threaded and has no FUSE file. The guardian lives as long as the
 * program or, if longer, as it takes to clean up after it. Returns 0 or a
 * negative errno.
 */
int guardian_start(const char *fusectl);

/*
 * From now on, when the calling process dies, or the program's main process or
 * the caller's parent inside the program: kill what is left of the caller and
 * its process group, abort every FUSE connection mounted in or below @dir,
 * detach every mount there. Returns 0 or a negative errno.
 */
int guardian_watch(struct ward **ward, const char *dir);

/*
 * Connection @number of fusectl belongs to this ward: abort it even when its
 * mount is already detached. Returns 0 or a negative errno.
 */
int guardian_note_connection(struct ward *ward, unsigned int number);

/*
 * The ward is taken down in order and needs no more watching. Without effect
 * outside of the process that called guardian_watch(). NULL is allowed.
 */
void guardian_release(struct ward *ward);

#endif /* FUSE_SELFTEST_GUARDIAN_H */
