/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How passthrough is spoken: through libfuse's own interface where it has one
 * (3.17 and later), by hand where it does not, where the ABI is V12's and where
 * the answer has to be wrong.
 */
#ifndef FUSE_SELFTEST_SERVER_REPLY_H
#define FUSE_SELFTEST_SERVER_REPLY_H

#include "server_fuse.h"

struct reply_ops;

/* What an OPEN (entry NULL) or CREATE is answered. */
struct open_reply {
	const struct reply_ops *ops;	/* who sends it */
	const struct fuse_entry_param *entry;
	struct fuse_file_info *fi;
	uint32_t open_flags;		/* FOPEN_* */
	int32_t backing_id;
};

struct reply_ops {
	/* In the INIT operation. */
	void (*negotiate)(struct server *srv, struct fuse_conn_info *conn);
	/* Register @fd: id or -errno. */
	int (*backing_open)(struct server *srv, fuse_req_t req, int fd);
	void (*backing_close)(struct server *srv, fuse_req_t req, int32_t id);
	/* -ENOENT: the caller was interrupted and will not RELEASE. */
	int (*send)(fuse_req_t req, const struct open_reply *reply);
};

extern const struct reply_ops reply_raw;
extern const struct reply_ops reply_libfuse;

#if SERVER_LIBFUSE_PASSTHROUGH
#define reply_default reply_libfuse
#else
#define reply_default reply_raw
#endif

#endif /* FUSE_SELFTEST_SERVER_REPLY_H */
