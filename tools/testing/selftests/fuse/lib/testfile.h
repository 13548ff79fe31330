/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file under test: its oracle and every way to reach it, in up to three
 * processes. Tests write through one view and check them all.
 */
#ifndef FUSE_SELFTEST_TESTFILE_H
#define FUSE_SELFTEST_TESTFILE_H

#include <limits.h>

#include "actor.h"
#include "oracle.h"
#include "report.h"

/*
 * Layout of a fresh file, P being the page size:
 *
 *   page  0     1     2     3     4     5     6     7
 *       +-----+-----+-----+-----+-----+-----+-----+-----+
 *       |data |data |data |hole |hole |data |da|      ^ |
 *       +-----+-----+-----+-----+-----+-----+-----+---|-+
 *                                             ^       end of the mappings
 *                                             EOF, in the middle of page 6
 */
#define TESTFILE_PAGES	8
#define TESTFILE_ROOM	(TESTFILE_PAGES * sysconf(_SC_PAGESIZE))
#define TESTFILE_SIZE	(6 * sysconf(_SC_PAGESIZE) + sysconf(_SC_PAGESIZE) / 2 + 77)

enum actor_id {
	SELF,
	CHILD,		/* forked when the views were open: inherits them */
	OTHER,		/* another process that opened its own */
	NR_ACTORS
};

/* What an actor is asked; private to testfile.c. */
struct testfile_request {
	enum view_id view;
	unsigned int views;
	const struct action *action;
	size_t len;
	off_t off;
};

/* In memory shared with the actors, so that each can check its own views. */
struct testfile {
	struct report_case report;
	char fuse[PATH_MAX];
	char backing[PATH_MAX];
	struct oracle oracle;
	struct actor actors[NR_ACTORS];
	unsigned int views;		/* mask of views the backing file system has */
	unsigned int mismatches;	/* found so far */
	unsigned int checks;		/* comparisons that said something */
	unsigned int turn;		/* of the readers of views that take turns */
	unsigned int rows;		/* of a table that were considered, and of these */
	unsigned int cases;		/* ran, and of these */
	unsigned int failed_cases;	/* failed, and of these */
	unsigned int shown_cases;	/* were reported in full; counted by the test */
	struct testfile_request request;
	bool (*reads)(const struct action *a);	/* the readers that checks use; NULL: all */
	bool slow;			/* KSFT_MACHINE_SLOW: readers take turns on all views */
	bool quiet;			/* mismatches are wanted: count, do not print */
	unsigned char *buf;		/* TESTFILE_ROOM bytes, shared: one acts at a time */
};

/*
 * A testfile without a file yet. OTHER is forked here, before anything is open.
 * views lacks FD where the backing file system refuses O_DIRECT by itself. NULL
 * with errno set on failure. The caller frees it.
 */
struct testfile *testfile_new(const struct report_case *report);
/* NULL is allowed. */
void testfile_free(struct testfile *tf);

/* Create @name on the backing directory with the layout above. 0 or -errno. */
int testfile_create(struct testfile *tf, const char *name);

/*
 * Bring the file back to that layout beside FUSE, under everything that is open.
 * Truncation takes the pages out of every mapping: they are untouched again.
 * 0 or -errno.
 */
int testfile_renew(struct testfile *tf);

/* Open the views in @ids, a mask of VIEW_BIT()s, in @who. 0 or -errno. */
int testfile_open(struct testfile *tf, enum actor_id who, unsigned int ids);

/* close(2) a descriptor of @who; a mapping made of it stays. 0 or -errno. */
int testfile_close_fd(struct testfile *tf, enum actor_id who, enum view_id view);

/* Unmap and close. */
void testfile_close(struct testfile *tf, enum actor_id who, enum view_id view);

/* Fork CHILD, which inherits what SELF has open. 0 or -errno. */
int testfile_fork(struct testfile *tf);

/* Close every view in every process, end CHILD, remove the file. */
void testfile_remove(struct testfile *tf);

/* Run @action of @who on @view; @buf holds or receives the bytes. As struct action's run. */
ssize_t testfile_act(struct testfile *tf, enum actor_id who, enum view_id view,
		     const struct action *action, void *buf, size_t len, off_t off);

/*
 * Let @who write the next payload through @view. Bytes written or -errno; a
 * full write is recorded in the oracle, anything else is not.
 */
ssize_t testfile_write(struct testfile *tf, enum actor_id who, enum view_id view,
		       const struct action *action, size_t len, off_t off);

/*
 * Read [off, off + len) by the readers through every open view of every living
 * actor and compare with the oracle. F2, FA and FS are read by some readers in
 * turn, on a slow machine all views are; CHILD reads by plain system calls. Past
 * end of file, readers must come back short and mappings show zeroes up to the
 * end of the last page. Mismatches found; the first one is reported in full.
 */
unsigned int testfile_check(struct testfile *tf, size_t len, off_t off);

/*
 * For testfile's reads: one reader of each way through the kernel, for tables
 * whose rows are about something else than how the file is read.
 */
bool testfile_reads_briefly(const struct action *a);

/* The same by every reader, however slow the machine: not one check of thousands. */
unsigned int testfile_check_fully(struct testfile *tf, size_t len, off_t off);

/* ... the whole file, and the rest of its last page. */
unsigned int testfile_check_all(struct testfile *tf);

/* Pages the kernel caches for the inode behind @fd (cachestat(2)), or -errno (-ENOSYS < 6.5). */
long testfile_cached_pages(int fd);
/* ... and of these the dirty ones. */
long testfile_dirty_pages(int fd);

#endif /* FUSE_SELFTEST_TESTFILE_H */
