/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A passthrough FUSE server that lives in the test's own process.
 *
 * It serves one directory tree on libfuse3's low-level API from a thread (or,
 * on request, a child process that a test may kill). All control state sits in
 * shared memory, so a forked child sees the same counters and may use the same
 * calls.
 *
 * Rules: functions return 0 (or the documented non-negative value) or a
 * negative errno; none of them prints or ends the process. The serving thread
 * never asserts, never touches a FUSE mapping and does not grow the heap while
 * a request is in flight.
 */
#ifndef FUSE_SELFTEST_SERVER_H
#define FUSE_SELFTEST_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server;

/* How an OPEN or CREATE is answered; Documentation/filesystems/fuse/fuse-io.rst */
enum server_mode {
	SERVER_CACHED,			/* page cache of FUSE, dropped at open */
	SERVER_KEEP_CACHE,		/* FOPEN_KEEP_CACHE */
	SERVER_DIRECT,			/* FOPEN_DIRECT_IO */
	SERVER_DIRECT_PARALLEL,		/* ... | FOPEN_PARALLEL_DIRECT_WRITES */
	SERVER_PASSTHROUGH,		/* FOPEN_PASSTHROUGH */
	SERVER_PASSTHROUGH_DIRECT,	/* ... | FOPEN_DIRECT_IO: read/write here, mmap there */
	SERVER_MODES
};

/* Name as used in reports: "cached", "passthrough|direct" ... */
const char *server_mode_name(enum server_mode mode);

struct server_options {
	enum server_mode mode;		/* of every open until server_set_mode() */
	double attr_timeout;		/* seconds */
	double entry_timeout;		/* seconds */
	unsigned int stack_depth;	/* max_stack_depth of the INIT reply; 0: 1 */
#define SERVER_STACK_DEPTH_NONE (~0U)	/* ... really 0 */
	uint64_t init_set;		/* FUSE_* INIT flags to add to the reply as they are */
	uint64_t init_clear;		/* and to remove from it, even FUSE_PASSTHROUGH */
	const char *mount_options;	/* of mount(2), more: "default_permissions", or NULL */
	unsigned long mount_flags;	/* MS_* of mount(2) */
	const char *mount_source;	/* as shown in /proc/mounts; NULL: "fuse_selftest" */
	const char *mount_type;		/* "fuse.*"; NULL: "fuse.fuse_selftest" */
	bool direct_io;			/* O_DIRECT for READ and WRITE as far as they are aligned */
	bool own_process;		/* serve from a child process */
	unsigned int threads;		/* that serve; 0: 1 */
};

/* Which passthrough ABI the kernel's INIT flags speak; kernel-side docs in abi.h */
enum server_abi {
	SERVER_ABI_NONE,
	SERVER_ABI_MAINLINE,		/* 6.9 and later */
	SERVER_ABI_V12,			/* out-of-tree series of 2021 */
};

/*
 * Mount a FUSE file system serving @backing on @mountpoint and start serving.
 * Returns when INIT has been answered. The caller owns *@srv until
 * server_stop(). Errors: those of open("/dev/fuse"), mount(2), clone(2).
 * A kernel without passthrough is no error here: see server_abi().
 */
int server_start(struct server **srv, const char *backing, const char *mountpoint,
		 const struct server_options *opt);

/*
 * Unmount (lazily), end the serving thread or process, free @srv. Never blocks
 * on an open FUSE file: the connection is aborted first if requests are stuck.
 * NULL is allowed.
 */
void server_stop(struct server *srv);

/*
 * Abort the connection through fusectl: every waiting and later request fails
 * with ENOTCONN or ECONNABORTED. 0 or -errno.
 */
int server_abort(struct server *srv);

/* ABI negotiated with this kernel. */
enum server_abi server_abi(const struct server *srv);
/* INIT flags (64 bits, flags2 in the upper half) the kernel offered / were answered. */
uint64_t server_init_offered(const struct server *srv);
uint64_t server_init_replied(const struct server *srv);
/* Number of the connection's directory under /sys/fs/fuse/connections. */
unsigned int server_connection(const struct server *srv);
/*
 * Descriptor of /dev/fuse, owned by @srv. A forked child that must not pin it
 * closes its copy. -1 with own_process: there the child alone holds it, so that
 * killing the child ends the connection.
 */
int server_device(const struct server *srv);
/* Readable for poll(2) once the connection has ended, by umount(8) or abort. */
int server_ended_fd(const struct server *srv);
/* Process that serves: the child with own_process, else the caller's process. */
pid_t server_pid(const struct server *srv);

/* --- what the next requests are answered ------------------------------ */

void server_set_mode(struct server *srv, enum server_mode mode);
void server_set_timeouts(struct server *srv, double attr, double entry);
/*
 * Answer the following opens with exactly these FOPEN_* @open_flags and this
 * @backing_id, right or wrong, until server_set_mode().
 */
void server_set_open_reply(struct server *srv, uint32_t open_flags, int32_t backing_id);
/* Fail the next @count requests of @opcode (FUSE_*) with errno @error; 0 ends it. */
void server_fail(struct server *srv, uint32_t opcode, int error, unsigned int count);

/*
 * Withhold: the next request of @opcode is read from the kernel but neither
 * carried out nor answered until server_release(). Others are served meanwhile.
 * No more than SERVER_WITHHELD_MAX are held at once, one per opcode.
 * server_wait_withheld() blocks until one is held: 0, or -ETIMEDOUT after
 * SERVER_WAIT_SECONDS.
 *
 * server_withhold_reply(): the next request is carried out, and the reply, which
 * tells how things were then, is what waits for server_release().
 */
#define SERVER_WAIT_SECONDS 10
#define SERVER_WITHHELD_MAX 4
void server_withhold(struct server *srv, uint32_t opcode);
void server_withhold_reply(struct server *srv, uint32_t opcode);
int server_wait_withheld(struct server *srv, uint32_t opcode);
void server_release(struct server *srv, uint32_t opcode);

/* --- what happened ----------------------------------------------------- */

/* Requests of @opcode (FUSE_READ, ...) read from the kernel since server_start(). */
uint64_t server_requests(const struct server *srv, uint32_t opcode);
/*
 * Wait until @count requests of @opcode in all were carried out (or failed, or
 * withheld) since server_start(): RELEASE and FORGET come asynchronously. 0 or
 * -ETIMEDOUT after SERVER_WAIT_SECONDS.
 */
int server_wait_requests(struct server *srv, uint32_t opcode, uint64_t count);

/* Transfers with O_DIRECT between server and backing file: see direct_io. */
uint64_t server_direct_transfers(const struct server *srv);

/*
 * Wait until the kernel refers to at most @count inodes beside the root: FORGET
 * comes late, and several in one request. 0 or -ETIMEDOUT.
 */
int server_wait_inodes(struct server *srv, unsigned int count);

/* --- backing ids (mainline) and notifications -------------------------- */

/* ioctl FUSE_DEV_IOC_BACKING_OPEN on descriptor @fd: id > 0 or negative errno. */
int server_backing_open(struct server *srv, int fd);
/* ioctl FUSE_DEV_IOC_BACKING_CLOSE. */
int server_backing_close(struct server *srv, int32_t id);
/* The id the server holds for @name (path below the root), 0 if none. */
int32_t server_backing_id(struct server *srv, const char *name);

/* FUSE_NOTIFY_INVAL_INODE / STORE for @name (path below the root), offsets in bytes. */
int server_notify_inval(struct server *srv, const char *name, off_t off, off_t len);
int server_notify_store(struct server *srv, const char *name, off_t off,
			const void *data, size_t len);
/* FUSE_NOTIFY_RETRIEVE. What comes back is only counted, as FUSE_NOTIFY_REPLY. */
int server_notify_retrieve(struct server *srv, const char *name, off_t off, size_t len);

#endif /* FUSE_SELFTEST_SERVER_H */
