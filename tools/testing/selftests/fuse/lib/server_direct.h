/* SPDX-License-Identifier: GPL-2.0 */
/* Reads and writes of a server that uses O_DIRECT; errors are negative errnos. */
#ifndef FUSE_SELFTEST_SERVER_DIRECT_H
#define FUSE_SELFTEST_SERVER_DIRECT_H

#include "server_fuse.h"

/* Into @buf, which has room for @size bytes and two more blocks. Bytes read. */
ssize_t direct_read(fuse_req_t req, fuse_ino_t ino, struct buffer *buf, size_t size, off_t off);

/*
 * @data by way of @buf; bytes before and behind the whole blocks through @fd, an
 * ordinary descriptor. Bytes written.
 */
ssize_t direct_write(fuse_req_t req, fuse_ino_t ino, int fd, struct buffer *buf, const char *data,
		     size_t size, off_t off);

#endif /* FUSE_SELFTEST_SERVER_DIRECT_H */
