/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers that each hold one whole request or reply. They are mapped and touched
 * before the first request: a serving thread that had to grow the heap would
 * need the address space lock, which a tester's thread may hold while it waits
 * for this very server.
 */
#ifndef FUSE_SELFTEST_SERVER_BUFFER_H
#define FUSE_SELFTEST_SERVER_BUFFER_H

#include <pthread.h>
#include <stddef.h>

struct buffer {
	struct buffer *next;	/* in the pool's list of free ones */
	char *data;
	size_t size;		/* of what is in it */
};

struct buffer_pool {
	pthread_mutex_t lock;
	struct buffer *free;
	struct buffer *all;
	char *memory;
	size_t each;
	unsigned int count;
};

/* @count buffers of @each bytes: 0 or -ENOMEM. */
int buffer_pool_create(struct buffer_pool *pool, unsigned int count, size_t each);
void buffer_pool_destroy(struct buffer_pool *pool);

/* NULL when all are in use */
struct buffer *buffer_take(struct buffer_pool *pool);
void buffer_put(struct buffer_pool *pool, struct buffer *buf);

#endif /* FUSE_SELFTEST_SERVER_BUFFER_H */
