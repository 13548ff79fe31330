/* SPDX-License-Identifier: GPL-2.0 */
/* Ways to move bytes that take more than one system call; rows of actions[]. */
#ifndef FUSE_SELFTEST_ACTION_WAYS_H
#define FUSE_SELFTEST_ACTION_WAYS_H

#include <stdbool.h>
#include <sys/types.h>

#include "view.h"

/* io_uring(7), by liburing; why it cannot be used, or NULL */
const char *uring_missing(void);
ssize_t uring_read(struct view *v, void *buf, size_t len, off_t off);
ssize_t uring_read_fixed(struct view *v, void *buf, size_t len, off_t off);
ssize_t uring_write(struct view *v, void *buf, size_t len, off_t off);
ssize_t uring_write_fixed(struct view *v, void *buf, size_t len, off_t off);
/* Two requests, the second after the first (IOSQE_IO_LINK). */
ssize_t uring_write_linked(struct view *v, void *buf, size_t len, off_t off);

/*
 * One request on a ring of its own whose registered memory is @map itself, of
 * @map_len bytes: @buf lies in it. As the calls above, or -errno of registering.
 */
ssize_t uring_in_place(struct view *v, bool write, void *map, size_t map_len, void *buf,
		       size_t len, off_t off);

/* io_submit(2), buffered or O_DIRECT as the descriptor is; why not, or NULL */
const char *aio_missing(void);
ssize_t aio_read(struct view *v, void *buf, size_t len, off_t off);
ssize_t aio_write(struct view *v, void *buf, size_t len, off_t off);
/* At offset 0, with flags of pwritev2(2). */
ssize_t aio_write_flags(int fd, void *buf, size_t len, int rwf);

/* Into and out of a mapping by way of the kernel: process_vm_readv(2), proc_pid_mem(5) */
ssize_t process_vm_read(struct view *v, void *buf, size_t len, off_t off);
ssize_t process_vm_write(struct view *v, void *buf, size_t len, off_t off);
ssize_t proc_mem_read(struct view *v, void *buf, size_t len, off_t off);
ssize_t proc_mem_write(struct view *v, void *buf, size_t len, off_t off);

/*
 * O_DIRECT moves whole aligned blocks from aligned memory (open(2)). These run
 * @rw, which fills or reads its buffer, on such a block and copy the bytes that
 * were asked for; descriptors without O_DIRECT go straight to @rw.
 */
typedef ssize_t (*action_rw)(struct view *v, void *buf, size_t len, off_t off);
ssize_t action_read_aligned(action_rw rw, struct view *v, void *buf, size_t len, off_t off);
ssize_t action_write_aligned(action_rw rw, struct view *v, void *buf, size_t len, off_t off);

#endif /* FUSE_SELFTEST_ACTION_WAYS_H */
