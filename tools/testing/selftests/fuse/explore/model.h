/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a history must have led to: bytes, size, times, and which views are open
 * in which process. It learns from the steps alone. All of it lives in shared
 * memory, so that every actor compares with the same truth.
 */
#ifndef FUSE_EXPLORE_MODEL_H
#define FUSE_EXPLORE_MODEL_H

#include <time.h>

#include "finding.h"

/* An open file: fork(2) shares it, fcntl(2) changes it for all who have it. */
struct open_file {
	unsigned int refs;
	int opened;		/* flags at open(2) */
	int flags;		/* as fcntl(2) left them */
	enum server_mode mode;
	bool fuse;
	bool beside_map;	/* cached, accepted beside a passthrough mapping: D2 */
};

#define MAX_OPEN_FILES	(NR_ACTORS * NR_VIEW_SPECS)

struct model_view {
	bool open;
	bool has_fd;		/* false once closed under a mapping */
	bool tainted;		/* of FC: what it caches was changed beside it */
	uint8_t file;		/* index of its open file */
	uint32_t off, len;	/* window of a mapping */
};

/* The smallest page there is, so the most there are. */
#define MODEL_PAGES	(TRACE_ROOM / 4096)

/* Pages a private mapping has copied; mmap(2), MAP_PRIVATE */
struct private_pages {
	bool copied[MODEL_PAGES];
	unsigned char bytes[TRACE_ROOM];
};

/* Size and times as the backing file has them, and what stat through FUSE may miss. */
struct model_times {
	struct timespec change;	/* ctime when times were last set */
	bool may_move;		/* something since may have moved them */
	bool must_move;		/* something since must have */
	bool clean;		/* every page was clean when they were set */
	bool promised;		/* a store to a clean page: must_move with the next flush */
	bool beside;		/* moved beside FUSE, which need not know while it caches */
	bool size_beside;
	/* A store through FUSE must show in stat by the next flush of its range. */
	bool owed, due;
	uint32_t owed_from, owed_to;
	unsigned int owed_by;		/* mask of views that were stored to */
};

struct model {
	struct oracle oracle;
	struct model_view views[NR_ACTORS][NR_VIEW_SPECS];
	struct open_file files[MAX_OPEN_FILES];
	struct private_pages private[NR_ACTORS];	/* of MP */
	struct model_times times;
	bool lost_below;	/* the backing file system gave up on the file: nothing holds */
	bool alive[NR_ACTORS];
	long page;
	unsigned int attr_timeout;
};

/* A fresh file of @size bytes whose content is recorded by the caller. */
void model_reset(struct model *m, unsigned int attr_timeout);

static inline off_t model_page_up(const struct model *m, off_t off)
{
	return (off + m->page - 1) / m->page * m->page;
}

/* --- views ---------------------------------------------------------------- */

void model_open(struct model *m, enum actor_id who, enum view_id view, enum server_mode mode,
		uint32_t off, uint32_t len);
void model_close_fd(struct model *m, enum actor_id who, enum view_id view);
void model_close(struct model *m, enum actor_id who, enum view_id view);
void model_fork(struct model *m);
void model_end(struct model *m);

/* The open file behind a view that has its descriptor. */
struct open_file *model_file(struct model *m, enum actor_id who, enum view_id view);

/* Is a FUSE descriptor of one of these modes (a mask of 1 << mode) open anywhere? */
bool model_has_mode(const struct model *m, unsigned int modes);
/* Is there a mapping that goes to the backing file through FUSE? */
bool model_has_passthrough_map(const struct model *m);

/* --- effects -------------------------------------------------------------- */

/* What the FUSE page cache holds may be stale for those who read it. */
void model_taint_cached(struct model *m);

/* Bytes were written (payload drawn before) through a view; @side as in its spec. */
void model_wrote(struct model *m, enum actor_id who, enum view_id view, const char *action,
		 size_t len, off_t off);
/* A private mapping was stored to. */
void model_stored_privately(struct model *m, enum actor_id who, const void *bytes, size_t len,
			    off_t off);
/* A control was carried out. */
void model_controlled(struct model *m, enum actor_id who, enum view_id view,
		      const struct control *c, size_t len, off_t off);
/* Times that stores in the range owe are due now: msync(2), munmap(2), close(2). */
void model_due(struct model *m, size_t len, off_t off);
/* The times were set to old values; the backing file's ctime is @change. */
void model_set_times(struct model *m, enum view_side side, const struct timespec *change);

#endif /* FUSE_EXPLORE_MODEL_H */
