// SPDX-License-Identifier: GPL-2.0
/* OPEN, CREATE and RELEASE: the open modes and the life of backing ids. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "server_reply.h"

static uint32_t mode_flags(enum server_mode mode)
{
	static const uint32_t flags[SERVER_MODES] = {
		[SERVER_KEEP_CACHE] = FOPEN_KEEP_CACHE,
		[SERVER_DIRECT] = FOPEN_DIRECT_IO,
		[SERVER_DIRECT_PARALLEL] = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES,
		[SERVER_PASSTHROUGH] = FOPEN_PASSTHROUGH,
		[SERVER_PASSTHROUGH_DIRECT] = FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO,
	};

	return flags[mode];
}

/*
 * Register the inode's backing file, through a read-only descriptor of its own:
 * the kernel opens the file again for each open, while a writable descriptor
 * that it kept would make the file impossible to execute.
 */
static int register_backing(struct server *srv, fuse_req_t req, const struct inode *inode)
{
	int fd = open(fd_path(inode->fd).name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int id;

	if (fd < 0)
		return -errno;
	id = reply_default.backing_open(srv, req, fd);
	close(fd);
	return id;
}

/* One id per inode, shared by its opens: the kernel refuses a second one. */
static int backing_get(struct server *srv, fuse_req_t req, fuse_ino_t ino)
{
	struct inode *inode;
	int id = -ENOENT;

	inode_lock(srv->inodes);
	inode = inode_get(srv->inodes, ino);
	if (inode) {
		id = inode->backing_users ? inode->backing_id : register_backing(srv, req, inode);
		if (id > 0) {
			inode->backing_id = id;
			inode->backing_users++;
		}
	}
	inode_unlock(srv->inodes);
	return id;
}

static void backing_put(struct server *srv, fuse_req_t req, fuse_ino_t ino)
{
	struct inode *inode;

	inode_lock(srv->inodes);
	inode = inode_get(srv->inodes, ino);
	if (inode && !--inode->backing_users) {
		reply_default.backing_close(srv, req, inode->backing_id);
		inode->backing_id = 0;
	}
	inode_unlock(srv->inodes);
}

static void close_file(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi)
{
	if (fi->fh & FH_BACKED)
		backing_put(req_server(req), req, ino);
	close(fh_fd(fi));
}

/*
 * Flags for the server's own descriptor. Data comes to it from unaligned
 * buffers, so never O_DIRECT. With the writeback cache the kernel reads pages it
 * was only asked to write, and places appended data itself.
 */
static int server_flags(struct server *srv, int flags)
{
	flags &= ~(O_DIRECT | O_NOFOLLOW | O_CREAT | O_EXCL);
	flags |= O_CLOEXEC;
	if (atomic_load(&srv->ctl->init_replied) & FUSE_WRITEBACK_CACHE) {
		flags &= ~O_APPEND;
		if ((flags & O_ACCMODE) == O_WRONLY)
			flags = (flags & ~O_ACCMODE) | O_RDWR;
	}
	return flags;
}

static int forced_reply(struct server *srv, struct open_reply *reply)
{
	uint64_t forced = atomic_load(&srv->ctl->forced);

	reply->ops = &reply_raw;
	reply->open_flags = forced >> 32;
	reply->backing_id = (int32_t)forced;
	return 0;
}

/* The kernel keeps the descriptor's own file, and the id is used up by this open. */
static int v12_reply(struct server *srv, struct open_reply *reply)
{
	int id = abi_v12_open(srv->device, fh_fd(reply->fi));

	if (id < 0)
		return id;
	reply->ops = &reply_raw;
	reply->open_flags &= ~FOPEN_PASSTHROUGH;
	reply->backing_id = id;
	return 0;
}

static int mainline_reply(struct server *srv, fuse_req_t req, fuse_ino_t ino,
			  struct open_reply *reply)
{
	int id = backing_get(srv, req, ino);

	if (id < 0)
		return id;
	reply->fi->fh |= FH_BACKED;
	reply->backing_id = id;
	return 0;
}

/* Make the reply for the mode in force: 0 or -errno. */
static int choose(struct server *srv, fuse_req_t req, fuse_ino_t ino, struct open_reply *reply)
{
	unsigned int mode = atomic_load(&srv->ctl->mode);

	reply->ops = &reply_default;
	if (mode >= SERVER_MODES)
		return forced_reply(srv, reply);
	reply->open_flags = mode_flags(mode);
	if (!(reply->open_flags & FOPEN_PASSTHROUGH))
		return 0;

	switch (server_abi(srv)) {
	case SERVER_ABI_MAINLINE:
		return mainline_reply(srv, req, ino, reply);
	case SERVER_ABI_V12:
		return v12_reply(srv, reply);
	default:
		return -EOPNOTSUPP;
	}
}

/* fi->fh is the open descriptor; from here on it belongs to the reply. */
static int answer(fuse_req_t req, fuse_ino_t ino, struct open_reply *reply)
{
	struct server *srv = req_server(req);
	int ret = choose(srv, req, ino, reply);

	if (ret) {
		close(fh_fd(reply->fi));
		return ret;
	}
	if (reply->ops->send(req, reply) == -ENOENT) {
		close_file(req, ino, reply->fi);
		if (reply->entry)
			entry_drop(srv, reply->entry);
	}
	return 0;
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *srv = req_server(req);
	struct open_reply reply = { .fi = fi };
	int fd, ret;

	fd = open(fd_path(ino_fd(req, ino)).name, server_flags(srv, fi->flags));
	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = fd;
	ret = answer(req, ino, &reply);
	if (ret)
		fuse_reply_err(req, -ret);
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct server *srv = req_server(req);
	struct fuse_entry_param entry;
	struct open_reply reply = { .fi = fi, .entry = &entry };
	int flags = server_flags(srv, fi->flags) | O_NOFOLLOW | O_CREAT | (fi->flags & O_EXCL);
	int fd, ret;

	caller_begin(req);
	fd = openat(ino_fd(req, parent), name, flags, mode);
	caller_end(req);
	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}

	ret = entry_of_file(srv, fd, &entry);
	if (ret) {
		close(fd);
		fuse_reply_err(req, -ret);
		return;
	}
	fi->fh = fd;
	ret = answer(req, entry.ino, &reply);
	if (ret) {
		entry_drop(srv, &entry);
		fuse_reply_err(req, -ret);
	}
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	close_file(req, ino, fi);
	fuse_reply_err(req, 0);
}
