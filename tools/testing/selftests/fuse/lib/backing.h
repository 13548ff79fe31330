/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file systems that lie under a FUSE mount: each is made at most once in a
 * program, when it is first asked for, in the program's mount namespace.
 */
#ifndef FUSE_SELFTEST_BACKING_H
#define FUSE_SELFTEST_BACKING_H

#include <stddef.h>

#include "sandbox.h"

/* Before the program forks: the record of what was made is shared memory. 0 or -errno. */
int backing_prepare(void);

/*
 * Where file system @fs, one of sandbox_filesystems, is mounted. Makes it when
 * nobody did. @why gets one line when the result is not SANDBOX_OK.
 */
enum sandbox_result backing_get(const char *fs, char *root, size_t root_len,
				char *why, size_t why_len);

/* Small ext4 without a journal, for a disk that may be made to fail. */
#define BACKING_PLAIN_DISK "plain-disk"
/* With quotas for users. */
#define BACKING_QUOTA_EXT4 "ext4-quota"
#define BACKING_QUOTA_XFS "xfs-quota"

/*
 * A file system of one of these kinds on an image of its own, made at @made_at and
 * then used as @used_at, the same file by another way, such as a FUSE mount. It is
 * mounted on @root.
 */
enum sandbox_result backing_mount_disk(const char *kind, const char *made_at, const char *used_at,
				       const char *root, char *why, size_t why_len);

/* How much lies between @fs and a disk, as max_stack_depth of FUSE's INIT counts it. */
unsigned int backing_stack_depth(const char *fs);

#endif /* FUSE_SELFTEST_BACKING_H */
