// SPDX-License-Identifier: GPL-2.0
/* Open replies and backing ids made by hand, for every libfuse. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "server_reply.h"

static void negotiate(struct server *srv, struct fuse_conn_info *conn)
{
	/* init_reply() does all of it */
	(void)srv;
	(void)conn;
}

int abi_backing_open(int device, int fd)
{
	struct abi_backing_map map = { .fd = fd };
	int id = ioctl(device, ABI_BACKING_OPEN, &map);

	return id < 0 ? -errno : id;
}

int abi_backing_close(int device, int32_t id)
{
	uint32_t arg = id;

	return ioctl(device, ABI_BACKING_CLOSE, &arg) ? -errno : 0;
}

int abi_v12_open(int device, int fd)
{
	struct abi_v12_passthrough_out arg = { .fd = fd };
	int id = ioctl(device, ABI_V12_PASSTHROUGH_OPEN, &arg);

	return id < 0 ? -errno : id;
}

static int backing_open(struct server *srv, fuse_req_t req, int fd)
{
	(void)req;
	return abi_backing_open(srv->device, fd);
}

static void backing_close(struct server *srv, fuse_req_t req, int32_t id)
{
	(void)req;
	abi_backing_close(srv->device, id);
}

static void split(double timeout, uint64_t *sec, uint32_t *nsec)
{
	*sec = timeout;
	*nsec = (timeout - *sec) * 1e9;
}

static void fill_attr(struct fuse_attr *out, const struct stat *st)
{
	*out = (struct fuse_attr){
		.ino = st->st_ino,
		.size = st->st_size,
		.blocks = st->st_blocks,
		.atime = st->st_atim.tv_sec,
		.mtime = st->st_mtim.tv_sec,
		.ctime = st->st_ctim.tv_sec,
		.atimensec = st->st_atim.tv_nsec,
		.mtimensec = st->st_mtim.tv_nsec,
		.ctimensec = st->st_ctim.tv_nsec,
		.mode = st->st_mode,
		.nlink = st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev = st->st_rdev,
		.blksize = st->st_blksize,
	};
}

static void fill_entry(struct fuse_entry_out *out, const struct fuse_entry_param *e)
{
	memset(out, 0, sizeof(*out));
	out->nodeid = e->ino;
	out->generation = e->generation;
	split(e->entry_timeout, &out->entry_valid, &out->entry_valid_nsec);
	split(e->attr_timeout, &out->attr_valid, &out->attr_valid_nsec);
	fill_attr(&out->attr, &e->attr);
}

static int send(fuse_req_t req, const struct open_reply *reply)
{
	struct abi_create_out out = {
		.open = {
			.fh = reply->fi->fh,
			.open_flags = reply->open_flags,
			.backing_id = reply->backing_id,
		},
	};

	if (!reply->entry)
		return fuse_reply_buf(req, (const char *)&out.open, sizeof(out.open));
	fill_entry(&out.entry, reply->entry);
	return fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

const struct reply_ops reply_raw = {
	.negotiate = negotiate,
	.backing_open = backing_open,
	.backing_close = backing_close,
	.send = send,
};
