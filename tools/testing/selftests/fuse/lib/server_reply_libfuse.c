// SPDX-License-Identifier: GPL-2.0
/* Open replies and backing ids through libfuse's own interface, 3.17 and later. */
#include <errno.h>

#include "server_reply.h"

#if SERVER_LIBFUSE_PASSTHROUGH

static void negotiate(struct server *srv, struct fuse_conn_info *conn)
{
	uint32_t depth = init_stack_depth(srv);

	if (!fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH))
		return;
	/* libfuse sends one more; init_reply() has the last word for odd depths. */
	conn->max_backing_stack_depth = depth ? depth - 1 : 0;
}

static int backing_open(struct server *srv, fuse_req_t req, int fd)
{
	int id;

	(void)srv;
	errno = 0;
	id = fuse_passthrough_open(req, fd);
	if (id > 0)
		return id;
	return errno ? -errno : -EIO;
}

static void backing_close(struct server *srv, fuse_req_t req, int32_t id)
{
	(void)srv;
	fuse_passthrough_close(req, id);
}

static int send(fuse_req_t req, const struct open_reply *reply)
{
	struct fuse_file_info *fi = reply->fi;

	fi->direct_io = !!(reply->open_flags & FOPEN_DIRECT_IO);
	fi->keep_cache = !!(reply->open_flags & FOPEN_KEEP_CACHE);
	fi->parallel_direct_writes = !!(reply->open_flags & FOPEN_PARALLEL_DIRECT_WRITES);
	fi->backing_id = reply->open_flags & FOPEN_PASSTHROUGH ? reply->backing_id : 0;
	if (reply->entry)
		return fuse_reply_create(req, reply->entry, fi);
	return fuse_reply_open(req, fi);
}

const struct reply_ops reply_libfuse = {
	.negotiate = negotiate,
	.backing_open = backing_open,
	.backing_close = backing_close,
	.send = send,
};

#endif /* SERVER_LIBFUSE_PASSTHROUGH */
