// SPDX-License-Identifier: GPL-2.0
/*
 * INIT on the wire. libfuse before 3.17 has no word for passthrough and no
 * version can send wrong answers, so the reply that libfuse composed is
 * completed here before it goes to the kernel, in every version alike.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "server_internal.h"

static uint64_t join(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

/* Deliberate fault: a kernel without passthrough. */
static uint64_t fault_offer(uint64_t flags)
{
	const char *fault = getenv("FUSE_TEST_FAULT");

	if (fault && !strcmp(fault, "absent"))
		flags &= ~(FUSE_PASSTHROUGH | FUSE_V12_PASSTHROUGH);
	return flags;
}

/* Remember what the kernel offers and which reply belongs to it. */
void init_request(struct server *srv, const struct fuse_in_header *in)
{
	const struct abi_init_in *init = (const void *)(in + 1);
	uint32_t high = init->flags & FUSE_INIT_EXT ? init->flags2 : 0;

	srv->init_unique = in->unique;
	atomic_store(&srv->ctl->init_minor, init->minor);
	atomic_store(&srv->ctl->init_offered, fault_offer(join(init->flags, high)));
}

uint32_t init_stack_depth(const struct server *srv)
{
	switch (srv->opt.stack_depth) {
	case 0:
		return 1;
	case SERVER_STACK_DEPTH_NONE:
		return 0;
	default:
		return srv->opt.stack_depth;
	}
}

static enum server_abi abi_of(const struct server *srv, uint64_t flags)
{
	if (flags & FUSE_PASSTHROUGH)
		return SERVER_ABI_MAINLINE;
	if (flags & FUSE_V12_PASSTHROUGH &&
	    atomic_load(&srv->ctl->init_minor) <= FUSE_V12_LAST_MINOR)
		return SERVER_ABI_V12;
	return SERVER_ABI_NONE;
}

static uint64_t reply_flags(struct server *srv, uint64_t flags)
{
	uint64_t offered = atomic_load(&srv->ctl->init_offered);

	if (abi_of(srv, offered) == SERVER_ABI_MAINLINE)
		flags |= FUSE_PASSTHROUGH;
	else if (abi_of(srv, offered) == SERVER_ABI_V12)
		flags |= FUSE_V12_PASSTHROUGH;
	flags |= srv->opt.init_set;
	/* The kernel reads flags2 only if told to. */
	if (flags >> 32)
		flags |= FUSE_INIT_EXT;
	return flags & ~srv->opt.init_clear;
}

static void complete(struct server *srv, struct abi_init_out *out)
{
	uint64_t flags = reply_flags(srv, join(out->flags, out->flags2));

	out->flags = flags;
	out->flags2 = flags >> 32;
	if (flags & FUSE_PASSTHROUGH)
		out->max_stack_depth = init_stack_depth(srv);
	atomic_store(&srv->ctl->init_replied, flags);
}

/* libfuse's writev: every reply passes here, that to INIT not unchanged. */
ssize_t init_reply(struct server *srv, int fd, const struct iovec *iov, int count)
{
	const struct fuse_out_header *head = iov[0].iov_base;
	struct abi_init_out out;
	struct iovec mine[2];
	ssize_t sent;

	if (head->unique != srv->init_unique || head->error || count != 2 ||
	    iov[1].iov_len != sizeof(out))
		return writev(fd, iov, count);

	memcpy(&out, iov[1].iov_base, sizeof(out));
	complete(srv, &out);
	mine[0] = iov[0];
	mine[1] = (struct iovec){ .iov_base = &out, .iov_len = sizeof(out) };
	sent = writev(fd, mine, 2);
	if (sent >= 0) {
		srv->init_unique = 0;
		control_set_state(srv->ctl, CONTROL_SERVING);
	}
	return sent;
}

enum server_abi server_abi(const struct server *srv)
{
	uint64_t replied = atomic_load(&srv->ctl->init_replied);

	return abi_of(srv, replied & atomic_load(&srv->ctl->init_offered));
}

uint64_t server_init_offered(const struct server *srv)
{
	return atomic_load(&srv->ctl->init_offered);
}

uint64_t server_init_replied(const struct server *srv)
{
	return atomic_load(&srv->ctl->init_replied);
}
