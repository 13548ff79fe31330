/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: what a file must contain, and who wrote each byte of it. It
 * learns only from what the test did and is never refreshed from the file.
 */
#ifndef FUSE_SELFTEST_ORACLE_H
#define FUSE_SELFTEST_ORACLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Writes remembered for naming the author of a byte; older ones are forgotten. */
#define ORACLE_HISTORY	4096

/* One write-like action. */
struct oracle_entry {
	uint32_t seq;		/* 1, 2, ... in the order of the history */
	const char *actor;	/* constant strings: who, through what, how */
	const char *view;
	const char *action;
	off_t off;
	size_t len;
};

struct oracle {
	unsigned char *bytes;
	uint32_t *author;	/* seq of the last writer; 0: nobody, a hole */
	off_t size;		/* of the file, bytes */
	size_t capacity;
	uint32_t seq;		/* last given out; entries above it are of an earlier file */
	struct oracle_entry history[ORACLE_HISTORY];
};

/* Where bytes seen differ from bytes expected. */
struct oracle_mismatch {
	off_t off;			/* first differing byte */
	size_t len;			/* length of the first differing range */
	size_t total;			/* differing bytes in all */
	unsigned char expected[16];	/* the first bytes of that range */
	unsigned char seen[16];
	struct oracle_entry expected_from;	/* seq 0: nobody, zeroes of a hole */
	struct oracle_entry seen_from;		/* seq 0: no remembered write explains it */
};

/*
 * Room for a file of up to @capacity bytes, shared with processes forked later.
 * 0 or -errno.
 */
int oracle_init(struct oracle *o, size_t capacity);
void oracle_free(struct oracle *o);

/* Begin again with an empty file and an empty history. */
void oracle_reset(struct oracle *o);

/*
 * Bytes for the next write: @len bytes meant for offset @off go to @buf. Two
 * consecutive writes never put the same value at one offset and none writes zero.
 */
void oracle_payload(struct oracle *o, void *buf, size_t len, off_t off);

/* Record that the payload last drawn was written at @off; the file grows if need be. */
void oracle_wrote(struct oracle *o, const char *actor, const char *view,
		  const char *action, size_t len, off_t off);

/* The file was truncated to, or extended with zeroes to, @size bytes. */
void oracle_resize(struct oracle *o, off_t size);

/* [off, off + len) was punched or zeroed: nobody wrote it. The size stays. */
void oracle_hole(struct oracle *o, size_t len, off_t off);

/*
 * The @len bytes at @from were copied to @to as if at once; they keep their
 * authors. The file grows if need be.
 */
void oracle_copied(struct oracle *o, size_t len, off_t from, off_t to);

/*
 * From now on @to expects at [off, off + len) what @from does, with its authors:
 * a private page begins as a copy of the file's.
 */
void oracle_adopt(struct oracle *to, const struct oracle *from, size_t len, off_t off);

/*
 * Compare @len bytes @seen at @off with what must be there. Bytes past end of
 * file must be zero (mmap(2): the rest of the last page). 0 if equal, else 1
 * with *@m filled in.
 */
int oracle_compare(const struct oracle *o, const void *seen, size_t len, off_t off,
		   struct oracle_mismatch *m);

#endif /* FUSE_SELFTEST_ORACLE_H */
