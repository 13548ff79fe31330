// SPDX-License-Identifier: GPL-2.0
/*
 * A server that bypasses the page cache of the backing file: through descriptors
 * of its own with O_DIRECT, for whatever part of a request is aligned to blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "server_direct.h"

/* The strictest alignment in practice, open(2); bytes */
#define BLOCK 4096

static off_t block_down(off_t off)
{
	return off / BLOCK * BLOCK;
}

static off_t block_up(off_t off)
{
	return block_down(off + BLOCK - 1);
}

static int open_direct(fuse_req_t req, fuse_ino_t ino, int flags)
{
	int fd = open(fd_path(ino_fd(req, ino)).name, flags | O_DIRECT | O_CLOEXEC);

	if (fd >= 0)
		atomic_fetch_add(&req_server(req)->ctl->direct, 1);
	return fd;
}

/* Whole blocks are read, and of them the bytes that were asked for sent. */
ssize_t direct_read(fuse_req_t req, fuse_ino_t ino, struct buffer *buf, size_t size, off_t off)
{
	const off_t from = block_down(off);
	int fd = open_direct(req, ino, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, buf->data, block_up(off + size) - from, from);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return got;
	got -= off - from;
	if (got <= 0)
		return 0;
	if ((size_t)got > size)
		got = size;
	memmove(buf->data, buf->data + (off - from), got);
	return got;
}

/* Memory must be aligned too: that of @buf is. */
static ssize_t write_blocks(fuse_req_t req, fuse_ino_t ino, struct buffer *buf, const char *data,
			    size_t size, off_t off)
{
	int fd = open_direct(req, ino, O_WRONLY);
	ssize_t put;

	if (fd < 0)
		return -errno;
	memcpy(buf->data, data, size);
	put = pwrite(fd, buf->data, size, off);
	if (put < 0)
		put = -errno;
	close(fd);
	return put;
}

static ssize_t write_bytes(int fd, const char *data, size_t size, off_t off)
{
	ssize_t put = pwrite(fd, data, size, off);

	return put < 0 ? -errno : put;
}

/* Before the first block, whole blocks, and what is left; the cache takes the edges. */
ssize_t direct_write(fuse_req_t req, fuse_ino_t ino, int fd, struct buffer *buf, const char *data,
		     size_t size, off_t off)
{
	const off_t end = off + size, first = block_up(off), last = block_down(end);
	ssize_t put;
	off_t at;

	if (first >= last)
		return write_bytes(fd, data, size, off);
	put = write_bytes(fd, data, first - off, off);
	if (put != first - off)
		return put;
	put = write_blocks(req, ino, buf, data + (first - off), last - first, first);
	at = put < 0 ? first : first + put;
	if (put == last - first && end > last) {
		put = write_bytes(fd, data + (last - off), end - last, last);
		at = put < 0 ? last : last + put;
	}
	return put < 0 && at == off ? put : at - off;
}
