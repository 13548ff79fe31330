/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace is a history written down: settings, then one step a line.
 *
 *	# a comment, anywhere
 *	attr-timeout 3600
 *	self open MS 0 131072
 *	self store MS 100 64
 *	other pread F1 100 64 quiet
 *
 * A quiet step is not followed by reads through FUSE descriptors, which would
 * have attributes fetched again; what they skip is read after the next step that
 * is not quiet.
 */
#ifndef FUSE_EXPLORE_TRACE_H
#define FUSE_EXPLORE_TRACE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "testfile.h"
#include "verb.h"

/* Bytes a file may have: eight pages of the largest usual size of 16 KiB. */
#define TRACE_ROOM	(128 * 1024)
#define TRACE_MAX_STEPS	1000000
/* The longest line that is understood. */
#define TRACE_LINE	256

struct step {
	const struct verb *verb;
	uint32_t off, len;
	uint8_t actor;		/* enum actor_id */
	uint8_t view;		/* enum view_id, if the verb has one */
	bool quiet;
};

struct trace {
	unsigned int attr_timeout;	/* seconds; also of entries */
	struct step *steps;
	size_t count, room;
};

/* Where and why a text is no trace. */
struct trace_error {
	unsigned int line, column;	/* from 1 */
	char why[128];
};

extern const char *const actor_names[NR_ACTORS];

/* Long enough that nothing expires during a history. */
#define TRACE_LONG_TIMEOUT	3600

void trace_init(struct trace *t);
void trace_free(struct trace *t);

/* 0 or -ENOMEM; -E2BIG beyond TRACE_MAX_STEPS. */
int trace_add(struct trace *t, const struct step *step);

/* Deep copy into an initialised @to, whose steps are replaced. 0 or -ENOMEM. */
int trace_copy(struct trace *to, const struct trace *from);

bool trace_equal(const struct trace *a, const struct trace *b);

/*
 * A number that is the same for equal histories and differs for others, short enough
 * to be compared by eye: begin with the first, go on with each step.
 */
uint64_t digest_begin(unsigned int attr_timeout);
uint64_t digest_step(uint64_t digest, const struct step *step);
uint64_t trace_digest(const struct trace *t);

/*
 * Read @len bytes of @text into an initialised @t. 0, -ENOMEM, or -EINVAL with
 * @error filled in.
 */
int trace_parse(struct trace *t, const struct vocabulary *voc, const char *text, size_t len,
		struct trace_error *error);

/* One line, without its end; @buf is returned. */
const char *step_text(const struct step *step, char *buf, size_t len);

/* The canonical form of @t. 0 or -errno. */
int trace_print(const struct trace *t, FILE *to);

#endif /* FUSE_EXPLORE_TRACE_H */
