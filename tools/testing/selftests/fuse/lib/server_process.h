/* SPDX-License-Identifier: GPL-2.0 */
/* A server in a child process of the tester, which a test may kill. */
#ifndef FUSE_SELFTEST_SERVER_PROCESS_H
#define FUSE_SELFTEST_SERVER_PROCESS_H

#include "server_internal.h"

/*
 * Serve srv->device from a child. The device is closed in the caller: the
 * connection shall end with the child.
 */
int process_start(struct server *srv);
/* Continue a stopped child; harmless otherwise. */
void process_resume(struct server *srv);
/* Reap the child, by force if it does not end by itself. */
void process_stop(struct server *srv);

/* Descriptor of /dev/fuse for one use by whoever asks, to be closed; or -errno. */
int process_borrow_device(struct server *srv);

#endif /* FUSE_SELFTEST_SERVER_PROCESS_H */
