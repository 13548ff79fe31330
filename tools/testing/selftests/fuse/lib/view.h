/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A view is one way to reach the bytes of a file: a descriptor or a mapping,
 * through FUSE or on the backing file beside it.
 */
#ifndef FUSE_SELFTEST_VIEW_H
#define FUSE_SELFTEST_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "server.h"

enum view_side {
	VIEW_FUSE,
	VIEW_BACKING,
};

/* What a view is; constant data, the same in every process. */
struct view_spec {
	const char *name;	/* as in reports and case names: "F1", "MS" */
	enum view_side side;
	int open_flags;		/* open(2) */
	int prot;		/* mmap(2); 0: a descriptor, no mapping */
	int map_flags;
	enum server_mode mode;	/* how the server is to answer its open */
};

/* The views every test shares. Descriptors first, then mappings. */
enum view_id {
	F1,	/* two descriptors through FUSE */
	F2,
	FA,	/* through FUSE, O_APPEND */
	FS,	/* through FUSE, O_SYNC */
	FD,	/* through FUSE, O_DIRECT */
	B,	/* the backing file */
	MS,	/* shared writable mapping through FUSE */
	MR,	/* shared read-only mapping of a read-only descriptor through FUSE */
	MB,	/* shared writable mapping of the backing file */
	NR_VIEWS,
	/* Views that only some tests open. */
	FR = NR_VIEWS,	/* through FUSE, read-only */
	FX,	/* through FUSE, passthrough|direct: read and write are the server's */
	FN,	/* through FUSE, direct: nothing is the backing file's */
	FC,	/* through FUSE, cached */
	MW,	/* a second shared writable mapping through FUSE */
	MX,	/* shared writable mapping of a passthrough|direct descriptor */
	MP,	/* private writable mapping through FUSE */
	NR_VIEW_SPECS
};

#define VIEW_BIT(id)	(1U << (id))
#define ALL_VIEWS	(VIEW_BIT(NR_VIEWS) - 1)

extern const struct view_spec view_specs[NR_VIEW_SPECS];

/*
 * "MP", a private writable mapping through FUSE. Not one of the shared views:
 * what it shows depends on what was stored through it.
 */
extern const struct view_spec view_private;

/* A view that is open in this process. */
struct view {
	const struct view_spec *spec;	/* NULL: not open */
	int fd;				/* -1 once closed under a mapping that outlives it */
	char *map;			/* NULL: not mapped */
	size_t map_len;			/* bytes */
	off_t map_off;			/* file offset of its first byte */
};

static inline bool view_is_open(const struct view *v)
{
	return v->spec;
}

static inline bool view_is_map(const struct view *v)
{
	return v->spec && v->spec->prot;
}

/*
 * Open @spec on the file at @path; a mapping covers @map_len bytes from offset 0.
 * 0 or -errno of open(2) or mmap(2); @v is closed then.
 */
int view_open(struct view *v, const struct view_spec *spec, const char *path, size_t map_len);

/* The same for a mapping from file offset @map_off, a multiple of the page size. */
int view_open_at(struct view *v, const struct view_spec *spec, const char *path,
		 size_t map_len, off_t map_off);

/* Where file offset @off is in the mapping. */
static inline char *view_at(const struct view *v, off_t off)
{
	return v->map + (off - v->map_off);
}

/* Close the descriptor only; a mapping stays (close(2), mmap(2)). 0 or -errno. */
int view_close_fd(struct view *v);

/* Unmap and close. A closed or zeroed view is fine. */
void view_close(struct view *v);

#endif /* FUSE_SELFTEST_VIEW_H */
