// SPDX-License-Identifier: GPL-2.0
/* The tester's side of the server: settings, counters, waits. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "server_control.h"
#include "server_internal.h"

#define NSEC_PER_SEC 1000000000ULL

/* The words are shared between processes, hence no FUTEX_PRIVATE_FLAG. */
static long futex(atomic_uint *word, int op, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, FUTEX_BITSET_MATCH_ANY);
}

void control_announce(struct control *ctl)
{
	atomic_fetch_add(&ctl->event, 1);
	if (atomic_load(&ctl->waiters))
		futex(&ctl->event, FUTEX_WAKE, INT_MAX, NULL);
}

int control_wait(struct control *ctl, bool (*ready)(struct control *ctl, const void *arg),
		 const void *arg)
{
	struct timespec deadline;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += SERVER_WAIT_SECONDS;

	atomic_fetch_add(&ctl->waiters, 1);
	for (;;) {
		uint32_t event = atomic_load(&ctl->event);

		if (ready(ctl, arg))
			break;
		/* FUTEX_WAIT_BITSET takes an absolute time: restarts do not extend it. */
		if (futex(&ctl->event, FUTEX_WAIT_BITSET, event, &deadline) < 0 &&
		    errno == ETIMEDOUT) {
			ret = ready(ctl, arg) ? 0 : -ETIMEDOUT;
			break;
		}
	}
	atomic_fetch_sub(&ctl->waiters, 1);
	return ret;
}

void control_set_state(struct control *ctl, enum control_state state)
{
	atomic_store(&ctl->state, state);
	control_announce(ctl);
}

int control_take_failure(struct control *ctl, uint32_t opcode)
{
	atomic_ullong *fail = &ctl->fail[control_slot(opcode)];
	unsigned long long now = atomic_load(fail);

	while ((uint32_t)now) {
		if (atomic_compare_exchange_weak(fail, &now, now - 1))
			return now >> 32;
	}
	return 0;
}

const char *server_mode_name(enum server_mode mode)
{
	static const char *const names[SERVER_MODES] = {
		[SERVER_CACHED] = "cached",
		[SERVER_KEEP_CACHE] = "keep_cache",
		[SERVER_DIRECT] = "direct",
		[SERVER_DIRECT_PARALLEL] = "direct|parallel",
		[SERVER_PASSTHROUGH] = "passthrough",
		[SERVER_PASSTHROUGH_DIRECT] = "passthrough|direct",
	};

	return mode < SERVER_MODES ? names[mode] : "forced";
}

void server_set_mode(struct server *srv, enum server_mode mode)
{
	atomic_store(&srv->ctl->mode, mode);
}

void server_set_open_reply(struct server *srv, uint32_t open_flags, int32_t backing_id)
{
	atomic_store(&srv->ctl->forced, (uint64_t)open_flags << 32 | (uint32_t)backing_id);
	atomic_store(&srv->ctl->mode, SERVER_MODES);
}

void server_set_timeouts(struct server *srv, double attr, double entry)
{
	atomic_store(&srv->ctl->attr_ns, (uint64_t)(attr * NSEC_PER_SEC));
	atomic_store(&srv->ctl->entry_ns, (uint64_t)(entry * NSEC_PER_SEC));
}

void server_fail(struct server *srv, uint32_t opcode, int error, unsigned int count)
{
	atomic_store(&srv->ctl->fail[control_slot(opcode)], (uint64_t)error << 32 | count);
}

void server_withhold(struct server *srv, uint32_t opcode)
{
	atomic_store(&srv->ctl->hold[control_slot(opcode)], HOLD_ARMED);
}

void server_withhold_reply(struct server *srv, uint32_t opcode)
{
	atomic_store(&srv->ctl->hold[control_slot(opcode)], HOLD_REPLY_ARMED);
}

static bool is_held(struct control *ctl, const void *arg)
{
	const uint32_t *slot = arg;

	return atomic_load(&ctl->hold[*slot]) == HOLD_HELD;
}

int server_wait_withheld(struct server *srv, uint32_t opcode)
{
	uint32_t slot = control_slot(opcode);

	return control_wait(srv->ctl, is_held, &slot);
}

void server_release(struct server *srv, uint32_t opcode)
{
	atomic_uint *hold = &srv->ctl->hold[control_slot(opcode)];
	unsigned int armed = HOLD_ARMED, reply_armed = HOLD_REPLY_ARMED, held = HOLD_HELD;

	if (atomic_compare_exchange_strong(hold, &armed, HOLD_NONE) ||
	    atomic_compare_exchange_strong(hold, &reply_armed, HOLD_NONE))
		return;
	if (atomic_compare_exchange_strong(hold, &held, HOLD_RELEASED))
		eventfd_write(srv->wake, 1);
}

uint64_t server_requests(const struct server *srv, uint32_t opcode)
{
	return atomic_load(&srv->ctl->seen[control_slot(opcode)]);
}

uint64_t server_direct_transfers(const struct server *srv)
{
	return atomic_load(&srv->ctl->direct);
}

struct inode_limit {
	struct inode_table *table;
	unsigned int count;
};

static bool has_forgotten(struct control *ctl, const void *arg)
{
	const struct inode_limit *limit = arg;

	(void)ctl;
	return atomic_load(&limit->table->open) <= limit->count;
}

int server_wait_inodes(struct server *srv, unsigned int count)
{
	struct inode_limit limit = { .table = srv->inodes, .count = count };

	return control_wait(srv->ctl, has_forgotten, &limit);
}

struct wanted {
	uint32_t slot;
	uint64_t count;
};

static bool were_done(struct control *ctl, const void *arg)
{
	const struct wanted *want = arg;

	return atomic_load(&ctl->done[want->slot]) >= want->count;
}

int server_wait_requests(struct server *srv, uint32_t opcode, uint64_t count)
{
	struct wanted want = { .slot = control_slot(opcode), .count = count };

	return control_wait(srv->ctl, were_done, &want);
}
