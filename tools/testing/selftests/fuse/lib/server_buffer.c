// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "server_buffer.h"

int buffer_pool_create(struct buffer_pool *pool, unsigned int count, size_t each)
{
	*pool = (struct buffer_pool){ .each = each, .count = count };
	pthread_mutex_init(&pool->lock, NULL);

	pool->all = calloc(count, sizeof(*pool->all));
	if (!pool->all)
		return -ENOMEM;
	pool->memory = mmap(NULL, count * each, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (pool->memory == MAP_FAILED) {
		pool->memory = NULL;
		buffer_pool_destroy(pool);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < count; i++) {
		pool->all[i].data = pool->memory + i * each;
		buffer_put(pool, &pool->all[i]);
	}
	return 0;
}

void buffer_pool_destroy(struct buffer_pool *pool)
{
	if (pool->memory)
		munmap(pool->memory, pool->count * pool->each);
	free(pool->all);
	*pool = (struct buffer_pool){ 0 };
}

struct buffer *buffer_take(struct buffer_pool *pool)
{
	struct buffer *buf;

	pthread_mutex_lock(&pool->lock);
	buf = pool->free;
	if (buf)
		pool->free = buf->next;
	pthread_mutex_unlock(&pool->lock);
	return buf;
}

void buffer_put(struct buffer_pool *pool, struct buffer *buf)
{
	pthread_mutex_lock(&pool->lock);
	buf->next = pool->free;
	pool->free = buf;
	pthread_mutex_unlock(&pool->lock);
}
