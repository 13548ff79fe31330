// SPDX-License-Identifier: GPL-2.0
/*
 * Acting as the caller of a request. The C library's functions change the whole
 * process; identity is a property of the thread for the kernel, so the bare
 * system calls are used.
 */
#include <errno.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server_fuse.h"

#define GROUPS_MAX 256

/* Supplementary groups decide for set-group-id directories and permissions. */
static void take_groups(fuse_req_t req)
{
	gid_t groups[GROUPS_MAX];
	int count = fuse_req_getgroups(req, GROUPS_MAX, groups);

	if (count < 0)
		count = 0;
	if (count > GROUPS_MAX)
		count = GROUPS_MAX;
	syscall(SYS_setgroups, count, groups);
}

void caller_begin(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	umask(ctx->umask);
	if (ctx->uid)
		take_groups(req);
	setfsgid(ctx->gid);
	/* The last step: leaving uid 0 drops the right to do the others. */
	setfsuid(ctx->uid);
}

void caller_end(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	int error = errno;

	setfsuid(0);
	setfsgid(0);
	if (ctx->uid)
		syscall(SYS_setgroups, 0, NULL);
	umask(0);
	errno = error;
}
