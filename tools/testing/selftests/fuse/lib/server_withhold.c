// SPDX-License-Identifier: GPL-2.0
/*
 * Holding up one request: before it is carried out, or after that, with the
 * finished reply. Who waits for it cannot tell, others are served meanwhile.
 */
#include <string.h>
#include <unistd.h>

#include "server_internal.h"

/* Where the reply that this thread makes is to go; NULL: to the kernel. */
static _Thread_local struct buffer *kept;

/* Consume an order to hold one of this slot. False: none, or too many are held already. */
static bool take_order(struct server *srv, uint32_t slot, unsigned int order)
{
	if (!atomic_compare_exchange_strong(&srv->ctl->hold[slot], &order, HOLD_NONE))
		return false;
	if (atomic_fetch_add(&srv->held_count, 1) < SERVER_WITHHELD_MAX)
		return true;
	atomic_fetch_sub(&srv->held_count, 1);
	return false;
}

static void hold(struct server *srv, uint32_t slot, struct buffer *buf, bool is_reply)
{
	srv->held[slot] = (struct held){ .buf = buf, .is_reply = is_reply };
	atomic_store(&srv->ctl->hold[slot], HOLD_HELD);
}

static void let_go(struct server *srv, struct buffer *buf)
{
	buffer_put(&srv->buffers, buf);
	atomic_fetch_sub(&srv->held_count, 1);
}

bool withhold_request(struct server *srv, uint32_t slot, struct buffer *buf)
{
	if (!take_order(srv, slot, HOLD_ARMED))
		return false;
	hold(srv, slot, buf, false);
	return true;
}

bool withhold_reply(struct server *srv, uint32_t slot, struct buffer *request)
{
	struct buffer *reply;

	if (!take_order(srv, slot, HOLD_REPLY_ARMED))
		return false;
	/* There is one: those that may be held were counted in. */
	reply = buffer_take(&srv->buffers);
	reply->size = 0;
	kept = reply;
	session_process(srv, request);
	kept = NULL;
	if (reply->size)
		hold(srv, slot, reply, true);
	else
		let_go(srv, reply);
	return true;
}

ssize_t withhold_keep(const struct iovec *iov, int count)
{
	if (!kept)
		return 0;
	for (int i = 0; i < count; i++) {
		memcpy(kept->data + kept->size, iov[i].iov_base, iov[i].iov_len);
		kept->size += iov[i].iov_len;
	}
	return kept->size;
}

static void finish(struct server *srv, const struct held *held)
{
	if (!held->is_reply)
		session_process(srv, held->buf);
	/* It fails with ENOENT if the caller was interrupted: nobody waits then. */
	else if (write(srv->device, held->buf->data, held->buf->size) < 0)
		return;
}

void withhold_finish_released(struct server *srv)
{
	for (uint32_t slot = 0; slot < CONTROL_OPCODES; slot++) {
		unsigned int released = HOLD_RELEASED;
		struct held held = srv->held[slot];

		if (!atomic_compare_exchange_strong(&srv->ctl->hold[slot], &released, HOLD_NONE))
			continue;
		finish(srv, &held);
		let_go(srv, held.buf);
		control_announce(srv->ctl);
	}
}
