// SPDX-License-Identifier: GPL-2.0
/* What is done to an open file that is not, or not only, in passthrough mode. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "server_direct.h"
#include "server_fuse.h"

static ssize_t result(ssize_t ret)
{
	return ret < 0 ? -errno : ret;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi)
{
	struct server *srv = req_server(req);
	struct buffer *buf = buffer_take(&srv->buffers);
	ssize_t got;

	if (!buf || size > srv->buffers.each) {
		if (buf)
			buffer_put(&srv->buffers, buf);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (srv->opt.direct_io)
		got = direct_read(req, ino, buf, size, off);
	else
		got = result(pread(fh_fd(fi), buf->data, size, off));
	if (got < 0)
		fuse_reply_err(req, -got);
	else
		fuse_reply_buf(req, buf->data, got);
	buffer_put(&srv->buffers, buf);
}

static ssize_t write_directly(fuse_req_t req, fuse_ino_t ino, int fd, const char *data,
			      size_t size, off_t off)
{
	struct server *srv = req_server(req);
	struct buffer *buf = buffer_take(&srv->buffers);
	ssize_t put;

	if (!buf)
		return -ENOMEM;
	put = direct_write(req, ino, fd, buf, data, size, off);
	buffer_put(&srv->buffers, buf);
	return put;
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
	      struct fuse_file_info *fi)
{
	ssize_t put;

	if (req_server(req)->opt.direct_io)
		put = write_directly(req, ino, fh_fd(fi), data, size, off);
	else
		put = result(pwrite(fh_fd(fi), data, size, off));
	if (put < 0)
		fuse_reply_err(req, -put);
	else
		fuse_reply_write(req, put);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	int ret = datasync ? fdatasync(fh_fd(fi)) : fsync(fh_fd(fi));

	(void)ino;
	fuse_reply_err(req, ret ? errno : 0);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		  struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_err(req, fallocate(fh_fd(fi), mode, off, len) ? errno : 0);
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
	      struct fuse_file_info *fi)
{
	off_t found = lseek(fh_fd(fi), off, whence);

	(void)ino;
	if (found < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_lseek(req, found);
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
			struct fuse_file_info *fi_out, size_t len, int flags)
{
	ssize_t copied = copy_file_range(fh_fd(fi_in), &off_in, fh_fd(fi_out), &off_out, len,
					 flags);

	(void)ino_in;
	(void)ino_out;
	if (copied < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_write(req, copied);
}
