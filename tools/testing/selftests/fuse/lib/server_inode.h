/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The inodes that the kernel knows, found by node id or by (device, inode)
 * number. The table is shared memory, so that the tester can ask for the node
 * id or backing id of a file whoever serves it; the descriptors in it belong to
 * the serving process.
 */
#ifndef FUSE_SELFTEST_SERVER_INODE_H
#define FUSE_SELFTEST_SERVER_INODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Address space only; what is not used costs nothing. */
#define INODE_MAX 0x100000U
#define INODE_HASH 0x10000U

struct inode {
	uint64_t dev;
	uint64_t ino;
	uint64_t lookups;	/* the kernel's references, returned by FORGET */
	uint32_t next;		/* slot number in the hash chain or free list, 0: end */
	uint32_t generation;
	int32_t fd;		/* O_PATH */
	int32_t backing_id;	/* mainline: while passthrough opens exist */
	uint32_t backing_users;	/* opens that rely on it */
};

struct inode_table {
	pthread_mutex_t lock;	/* robust: the server may be killed holding it */
	uint32_t used;		/* slots ever used; node id is the slot number */
	uint32_t free;
	atomic_uint open;	/* descriptors held, the root's not counted */
	uint32_t hash[INODE_HASH];
	struct inode slot[INODE_MAX];
};

struct inode_table *inode_table_create(void);
void inode_table_destroy(struct inode_table *table);

/* Close every descriptor that is left; by the serving process when it ends. */
void inode_table_close(struct inode_table *table);

void inode_lock(struct inode_table *table);
void inode_unlock(struct inode_table *table);

/* Make @fd (O_PATH, kept) the root, node id FUSE_ROOT_ID. */
void inode_set_root(struct inode_table *table, int fd, const struct stat *st);

/*
 * One more reference to the inode of @fd, an O_PATH descriptor described by @st
 * that the table takes over. Returns the node id and sets @generation, or 0 when
 * the table is full; @fd is closed then.
 */
uint64_t inode_lookup(struct inode_table *table, int fd, const struct stat *st,
		      uint64_t *generation);

/* Drop @count references. */
void inode_forget(struct inode_table *table, uint64_t nodeid, uint64_t count);

/* O_PATH descriptor of @nodeid, which the kernel holds a reference to; else -1. */
int inode_fd(struct inode_table *table, uint64_t nodeid);

/* With the lock held: the inode itself, NULL if unknown. */
struct inode *inode_get(struct inode_table *table, uint64_t nodeid);
/* With the lock held: node id of the inode described by @st, 0 if unknown. */
uint64_t inode_find(struct inode_table *table, const struct stat *st);

#endif /* FUSE_SELFTEST_SERVER_INODE_H */
