// SPDX-License-Identifier: GPL-2.0
/* What the tester does to the device beside the server: backing ids, notifications. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "server_process.h"

static int stat_name(struct server *srv, const char *name, struct stat *st)
{
	if (fstatat(srv->root, *name ? name : ".", st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return 0;
}

int server_backing_open(struct server *srv, int fd)
{
	int device = process_borrow_device(srv);
	int id;

	if (device < 0)
		return device;
	id = abi_backing_open(device, fd);
	close(device);
	return id;
}

int server_backing_close(struct server *srv, int32_t id)
{
	int device = process_borrow_device(srv);
	int ret;

	if (device < 0)
		return device;
	ret = abi_backing_close(device, id);
	close(device);
	return ret;
}

int32_t server_backing_id(struct server *srv, const char *name)
{
	struct inode *inode;
	struct stat st;
	int32_t id = 0;

	if (stat_name(srv, name, &st))
		return 0;
	inode_lock(srv->inodes);
	inode = inode_get(srv->inodes, inode_find(srv->inodes, &st));
	if (inode)
		id = inode->backing_id;
	inode_unlock(srv->inodes);
	return id;
}

/* The node id that the kernel knows @name by, 0 if it does not. */
static uint64_t nodeid_of(struct server *srv, const char *name)
{
	uint64_t nodeid;
	struct stat st;

	if (stat_name(srv, name, &st))
		return 0;
	inode_lock(srv->inodes);
	nodeid = inode_find(srv->inodes, &st);
	inode_unlock(srv->inodes);
	return nodeid;
}

/* A notification is a reply to nobody: unique 0, its code in place of the error. */
static int notify(struct server *srv, int code, struct iovec *iov, int count)
{
	struct fuse_out_header head = { .error = code };
	int device = process_borrow_device(srv);
	int ret = 0;

	if (device < 0)
		return device;
	iov[0] = (struct iovec){ .iov_base = &head, .iov_len = sizeof(head) };
	for (int i = 0; i < count; i++)
		head.len += iov[i].iov_len;
	if (writev(device, iov, count) < 0)
		ret = -errno;
	close(device);
	return ret;
}

int server_notify_inval(struct server *srv, const char *name, off_t off, off_t len)
{
	struct fuse_notify_inval_inode_out out = {
		.ino = nodeid_of(srv, name),
		.off = off,
		.len = len,
	};
	struct iovec iov[] = { { 0 }, { .iov_base = &out, .iov_len = sizeof(out) } };

	return out.ino ? notify(srv, FUSE_NOTIFY_INVAL_INODE, iov, 2) : -ENOENT;
}

int server_notify_store(struct server *srv, const char *name, off_t off, const void *data,
			size_t len)
{
	struct fuse_notify_store_out out = {
		.nodeid = nodeid_of(srv, name),
		.offset = off,
		.size = len,
	};
	struct iovec iov[] = {
		{ 0 },
		{ .iov_base = &out, .iov_len = sizeof(out) },
		{ .iov_base = (void *)data, .iov_len = len },
	};

	return out.nodeid ? notify(srv, FUSE_NOTIFY_STORE, iov, 3) : -ENOENT;
}

int server_notify_retrieve(struct server *srv, const char *name, off_t off, size_t len)
{
	struct fuse_notify_retrieve_out out = {
		.nodeid = nodeid_of(srv, name),
		.offset = off,
		.size = len,
	};
	struct iovec iov[] = { { 0 }, { .iov_base = &out, .iov_len = sizeof(out) } };

	return out.nodeid ? notify(srv, FUSE_NOTIFY_RETRIEVE, iov, 2) : -ENOENT;
}
