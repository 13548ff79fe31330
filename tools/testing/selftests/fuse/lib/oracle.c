// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "oracle.h"

/* Values 1..251 and a prime modulus: neighbours in history and in the file differ. */
#define PAYLOAD_MODULUS		251
#define PAYLOAD_SEQ_STEP	97
#define PAYLOAD_OFF_STEP	3

static unsigned char payload(uint32_t seq, off_t off)
{
	return 1 + ((uint64_t)seq * PAYLOAD_SEQ_STEP + off * PAYLOAD_OFF_STEP) % PAYLOAD_MODULUS;
}

/* payload() of each byte. It repeats, and a division a byte would be most of a short write. */
static void fill(unsigned char *p, uint32_t seq, size_t len, off_t off)
{
	size_t i, n = len < PAYLOAD_MODULUS ? len : PAYLOAD_MODULUS;
	unsigned int next = payload(seq, off);

	for (i = 0; i < n; i++) {
		p[i] = next;
		next += PAYLOAD_OFF_STEP;
		if (next > PAYLOAD_MODULUS)
			next -= PAYLOAD_MODULUS;
	}
	for (; i < len; i += n) {
		n = len - i < i ? len - i : i;
		memcpy(p + i, p, n);
	}
}

int oracle_init(struct oracle *o, size_t capacity)
{
	void *room = mmap(NULL, capacity * (sizeof(*o->bytes) + sizeof(*o->author)),
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return -errno;
	memset(o, 0, sizeof(*o));
	o->author = room;
	o->bytes = (unsigned char *)(o->author + capacity);
	o->capacity = capacity;
	return 0;
}

void oracle_free(struct oracle *o)
{
	if (o->author)
		munmap(o->author, o->capacity * (sizeof(*o->bytes) + sizeof(*o->author)));
	o->author = NULL;
	o->bytes = NULL;
}

void oracle_reset(struct oracle *o)
{
	oracle_resize(o, 0);
	o->seq = 0;
}

void oracle_payload(struct oracle *o, void *buf, size_t len, off_t off)
{
	o->seq++;
	fill(buf, o->seq, len, off);
}

/* Deliberate fault: an oracle that remembers one byte of each write wrongly. */
static void fault_oracle(struct oracle *o, off_t off)
{
	const char *fault = getenv("FUSE_TEST_FAULT");

	if (fault && !strcmp(fault, "oracle"))
		o->bytes[off] ^= 0x80;
}

void oracle_wrote(struct oracle *o, const char *actor, const char *view,
		  const char *action, size_t len, off_t off)
{
	size_t i;

	o->history[o->seq % ORACLE_HISTORY] = (struct oracle_entry) {
		.seq = o->seq, .actor = actor, .view = view, .action = action,
		.off = off, .len = len,
	};
	if (!len)
		return;
	fill(o->bytes + off, o->seq, len, off);
	for (i = 0; i < len; i++)
		o->author[off + i] = o->seq;
	if (o->size < off + (off_t)len)
		o->size = off + len;
	fault_oracle(o, off);
}

void oracle_resize(struct oracle *o, off_t size)
{
	if (size < o->size) {
		memset(o->bytes + size, 0, o->size - size);
		memset(o->author + size, 0, (o->size - size) * sizeof(*o->author));
	}
	o->size = size;
}

void oracle_hole(struct oracle *o, size_t len, off_t off)
{
	if (off >= o->size)
		return;
	if (off + (off_t)len > o->size)
		len = o->size - off;
	memset(o->bytes + off, 0, len);
	memset(o->author + off, 0, len * sizeof(*o->author));
}

void oracle_copied(struct oracle *o, size_t len, off_t from, off_t to)
{
	memmove(o->bytes + to, o->bytes + from, len);
	memmove(o->author + to, o->author + from, len * sizeof(*o->author));
	if (o->size < to + (off_t)len)
		o->size = to + len;
	if (len)
		fault_oracle(o, to);
}

void oracle_adopt(struct oracle *to, const struct oracle *from, size_t len, off_t off)
{
	size_t i;

	memcpy(to->bytes + off, from->bytes + off, len);
	memcpy(to->author + off, from->author + off, len * sizeof(*to->author));
	for (i = 0; i < ORACLE_HISTORY; i++)
		if (from->history[i].seq > to->history[i].seq)
			to->history[i] = from->history[i];
	if (from->seq > to->seq)
		to->seq = from->seq;
	if (from->size > to->size)
		to->size = from->size;
}

static const struct oracle_entry *entry(const struct oracle *o, uint32_t seq)
{
	const struct oracle_entry *e = &o->history[seq % ORACLE_HISTORY];

	return seq && e->seq == seq ? e : NULL;
}

static int explains(const struct oracle_entry *e, const unsigned char *seen, size_t len, off_t off)
{
	size_t i;

	if (off < e->off || off + len > e->off + e->len)
		return 0;
	for (i = 0; i < len; i++)
		if (seen[i] != payload(e->seq, off + i))
			return 0;
	return 1;
}

/* The youngest remembered write that would have left exactly these bytes there. */
static const struct oracle_entry *author_of(const struct oracle *o, const unsigned char *seen,
					    size_t len, off_t off)
{
	const struct oracle_entry *e;
	uint32_t seq;

	for (seq = o->seq; seq && seq + ORACLE_HISTORY > o->seq; seq--) {
		e = entry(o, seq);
		if (e && explains(e, seen, len, off))
			return e;
	}
	return NULL;
}

static void describe(const struct oracle *o, const unsigned char *seen, off_t off,
		     size_t first, struct oracle_mismatch *m)
{
	size_t shown = m->len < sizeof(m->seen) ? m->len : sizeof(m->seen);
	const struct oracle_entry *e;

	m->off = off + first;
	memcpy(m->expected, o->bytes + m->off, shown);
	memcpy(m->seen, seen + first, shown);
	e = entry(o, o->author[m->off]);
	if (e)
		m->expected_from = *e;
	/* The range may mix authors; its first bytes name one. */
	e = author_of(o, seen + first, shown, m->off);
	if (e)
		m->seen_from = *e;
}

int oracle_compare(const struct oracle *o, const void *seen, size_t len, off_t off,
		   struct oracle_mismatch *m)
{
	const unsigned char *s = seen;
	const unsigned char *want = o->bytes + off;
	size_t i, first = len;

	if (!memcmp(s, want, len))
		return 0;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < len; i++) {
		if (s[i] == want[i])
			continue;
		if (first == len)
			first = i;
		if (i == first + m->len)
			m->len++;
		m->total++;
	}
	describe(o, s, off, first, m);
	return 1;
}
