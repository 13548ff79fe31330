// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server_inode.h"

#define ROOT_SLOT 1U

/*
 * Slots that a test uses are touched before the first request; see
 * server_buffer.h for why.
 */
#define PREHEATED_SLOTS 512

struct inode_table *inode_table_create(void)
{
	struct inode_table *table;
	pthread_mutexattr_t attr;

	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table == MAP_FAILED)
		return NULL;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&table->lock, &attr);
	pthread_mutexattr_destroy(&attr);

	table->used = ROOT_SLOT + 1;
	for (unsigned int i = 0; i < PREHEATED_SLOTS; i++)
		table->slot[i].fd = -1;
	return table;
}

void inode_table_destroy(struct inode_table *table)
{
	if (table)
		munmap(table, sizeof(*table));
}

void inode_lock(struct inode_table *table)
{
	if (pthread_mutex_lock(&table->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&table->lock);
}

void inode_unlock(struct inode_table *table)
{
	pthread_mutex_unlock(&table->lock);
}

static uint32_t *bucket(struct inode_table *table, uint64_t dev, uint64_t ino)
{
	/* Fibonacci hashing spreads the consecutive numbers that file systems give. */
	uint64_t mixed = (ino ^ dev << 32) * 0x9e3779b97f4a7c15ULL;

	return &table->hash[mixed >> 48 & (INODE_HASH - 1)];
}

struct inode *inode_get(struct inode_table *table, uint64_t nodeid)
{
	if (nodeid < ROOT_SLOT || nodeid >= table->used || !table->slot[nodeid].lookups)
		return NULL;
	return &table->slot[nodeid];
}

uint64_t inode_find(struct inode_table *table, const struct stat *st)
{
	for (uint32_t i = *bucket(table, st->st_dev, st->st_ino); i; i = table->slot[i].next)
		if (table->slot[i].dev == st->st_dev && table->slot[i].ino == st->st_ino)
			return i;
	return 0;
}

static void fill(struct inode_table *table, uint32_t slot, int fd, const struct stat *st)
{
	uint32_t *head = bucket(table, st->st_dev, st->st_ino);
	struct inode *inode = &table->slot[slot];

	inode->dev = st->st_dev;
	inode->ino = st->st_ino;
	inode->lookups = 1;
	inode->generation++;
	inode->fd = fd;
	inode->backing_id = 0;
	inode->backing_users = 0;
	inode->next = *head;
	*head = slot;
}

void inode_set_root(struct inode_table *table, int fd, const struct stat *st)
{
	inode_lock(table);
	fill(table, ROOT_SLOT, fd, st);
	inode_unlock(table);
}

static uint32_t free_slot(struct inode_table *table)
{
	uint32_t slot = table->free;

	if (slot)
		table->free = table->slot[slot].next;
	else if (table->used < INODE_MAX)
		slot = table->used++;
	return slot;
}

uint64_t inode_lookup(struct inode_table *table, int fd, const struct stat *st,
		      uint64_t *generation)
{
	uint64_t nodeid;
	bool known;

	inode_lock(table);
	nodeid = inode_find(table, st);
	known = nodeid;
	if (known) {
		table->slot[nodeid].lookups++;
	} else {
		nodeid = free_slot(table);
		if (nodeid)
			fill(table, nodeid, fd, st);
	}
	*generation = table->slot[nodeid].generation;
	inode_unlock(table);

	if (known || !nodeid)
		close(fd);
	else
		atomic_fetch_add(&table->open, 1);
	return nodeid;
}

static void unlink_slot(struct inode_table *table, uint32_t slot)
{
	uint32_t *link = bucket(table, table->slot[slot].dev, table->slot[slot].ino);

	while (*link && *link != slot)
		link = &table->slot[*link].next;
	if (*link)
		*link = table->slot[slot].next;
}

void inode_forget(struct inode_table *table, uint64_t nodeid, uint64_t count)
{
	struct inode *inode;
	int fd = -1;

	inode_lock(table);
	inode = inode_get(table, nodeid);
	if (inode && nodeid != ROOT_SLOT) {
		inode->lookups -= count < inode->lookups ? count : inode->lookups;
		if (!inode->lookups) {
			unlink_slot(table, nodeid);
			fd = inode->fd;
			inode->fd = -1;
			inode->next = table->free;
			table->free = nodeid;
		}
	}
	inode_unlock(table);

	if (fd >= 0) {
		close(fd);
		atomic_fetch_sub(&table->open, 1);
	}
}

int inode_fd(struct inode_table *table, uint64_t nodeid)
{
	struct inode *inode;
	int fd;

	inode_lock(table);
	inode = inode_get(table, nodeid);
	fd = inode ? inode->fd : -1;
	inode_unlock(table);
	return fd;
}

void inode_table_close(struct inode_table *table)
{
	inode_lock(table);
	for (uint32_t i = ROOT_SLOT + 1; i < table->used; i++) {
		if (!table->slot[i].lookups)
			continue;
		unlink_slot(table, i);
		table->slot[i].lookups = 0;
		close(table->slot[i].fd);
		table->slot[i].fd = -1;
	}
	inode_unlock(table);
}
