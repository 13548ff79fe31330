/* SPDX-License-Identifier: GPL-2.0 */
/* What a history was found to break. */
#ifndef FUSE_EXPLORE_FINDING_H
#define FUSE_EXPLORE_FINDING_H

#include "trace.h"

enum finding_kind {
	FOUND_NOTHING,
	FOUND_BYTES,		/* a view shows bytes nobody put there */
	FOUND_RESULT,		/* a call returned what it should not */
	FOUND_ATTRIBUTES,	/* size or times */
	FOUND_HANG,		/* a step did not end in time */
	FOUND_DEATH,		/* the process that ran it died */
	FOUND_TROUBLE,		/* machine or harness, no verdict on the kernel */
	FOUND_UNSUPPORTED,	/* a named feature is absent */
};

/* Lives in shared memory: no pointers but to constant data. */
struct finding {
	enum finding_kind kind;
	const char *deviation;		/* id of the known deviation it is, or NULL */
	enum actor_id actor;
	enum view_id view;
	const char *action;		/* how the bytes were read */
	struct oracle_mismatch bytes;	/* of FOUND_BYTES */
	char what[512];			/* of all others, one line */
};

/* A short name: "wrong bytes", "hang" ... */
const char *finding_name(enum finding_kind kind);

#endif /* FUSE_EXPLORE_FINDING_H */
