/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the server share. Nothing above lib/server includes this. */
#ifndef FUSE_SELFTEST_SERVER_INTERNAL_H
#define FUSE_SELFTEST_SERVER_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "abi.h"
#include "server.h"
#include "server_buffer.h"
#include "server_control.h"
#include "server_inode.h"

#define SERVER_MAX_THREADS 16
#define SERVER_MAX_WRITE 0x100000U

struct fuse_session;

/* A request that is not carried out, or a reply that is not sent, until released. */
struct held {
	struct buffer *buf;
	bool is_reply;
};

struct server {
	struct control *ctl;		/* shared */
	struct inode_table *inodes;	/* shared */
	struct server_options opt;
	char mountpoint[PATH_MAX];
	int root;			/* O_PATH descriptor of the backing directory */
	int device;			/* /dev/fuse; -1 in the tester with own_process */
	int wake;			/* eventfd that the loop polls beside the device */
	int ended;			/* eventfd that the loop writes when it ends */
	unsigned int connection;
	int abort;			/* its file in fusectl */
	bool mounted;
	pid_t owner;			/* who called server_start() */
	pid_t child;			/* own_process: who serves, else 0 */
	int child_fd;			/* ... its pidfd */
	int child_device;		/* ... number of /dev/fuse there */

	/* of the serving process alone */
	struct fuse_session *session;
	struct buffer_pool buffers;
	struct held held[CONTROL_OPCODES];
	atomic_uint held_count;
	uint64_t init_unique;
	unsigned int threads;		/* that serve, the caller of serving_run() included */
	unsigned int running;		/* ... of them in thread[] */
	pthread_t thread[SERVER_MAX_THREADS];
};

/* --- server.c: parts of the life that a serving child repeats --- */
int server_prepare(struct server *srv);
/* Start all but @first of the serving threads. */
int server_start_threads(struct server *srv, unsigned int first);
void server_join_threads(struct server *srv);

/* --- server_reply_raw.c: the ioctls, id or -errno --- */
int abi_backing_open(int device, int fd);
int abi_backing_close(int device, int32_t id);
int abi_v12_open(int device, int fd);

/* --- server_session.c: the libfuse session --- */

/* Take over srv->device. 0 or -errno. */
int session_create(struct server *srv);
/* Close the device, inodes and everything else of the serving process. */
void session_destroy(struct server *srv);
/* Carry out one request. */
void session_process(struct server *srv, struct buffer *buf);

/* --- server_loop.c: reading and dispatching requests --- */

/* Allocate what the loop needs while no request is in flight. */
int serving_prepare(struct server *srv);
/* Serve on the calling thread until the connection ends or the loop is stopped. */
void serving_run(struct server *srv);
/* Make every serving_run() of @srv return. */
void serving_stop(struct server *srv);

/* --- server_withhold.c: on the wire between the loop and libfuse --- */

/* Keep @buf if the next request of @slot is to be withheld: then true. */
bool withhold_request(struct server *srv, uint32_t slot, struct buffer *buf);
/* Carry out @request, and keep its reply, if that is to be withheld: then true. */
bool withhold_reply(struct server *srv, uint32_t slot, struct buffer *request);
/* libfuse sends a reply: its size if it is kept instead, else 0. */
ssize_t withhold_keep(const struct iovec *iov, int count);
/* Carry out or send what was released meanwhile. */
void withhold_finish_released(struct server *srv);

/* --- server_init.c: negotiation --- */
void init_request(struct server *srv, const struct fuse_in_header *in);
ssize_t init_reply(struct server *srv, int fd, const struct iovec *iov, int count);
uint32_t init_stack_depth(const struct server *srv);

#endif /* FUSE_SELFTEST_SERVER_INTERNAL_H */
