/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often a second something can be done to a file, for what fio(1) has no
 * engine. Threads have mappings and descriptors of their own.
 */
#ifndef FUSE_SELFTEST_RATE_H
#define FUSE_SELFTEST_RATE_H

struct rate_loop;

/* Loop @name, or NULL: fault-read, fault-write, msync, open-map-close. */
const struct rate_loop *rate_find(const char *name);

/*
 * Do @loop on the file @path of whole pages, by @threads threads for @ms
 * milliseconds. Per second and in all: page faults by order of pages, stores with
 * msync(2) of their page, or rounds of open, mmap, load, munmap and close. Negative
 * errno if something failed.
 */
double rate_measure(const struct rate_loop *loop, const char *path, unsigned int threads,
		    unsigned int ms);

#endif /* FUSE_SELFTEST_RATE_H */
