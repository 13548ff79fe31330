/* SPDX-License-Identifier: GPL-2.0 */
/* The mount and the connection behind it. */
#ifndef FUSE_SELFTEST_SERVER_MOUNT_H
#define FUSE_SELFTEST_SERVER_MOUNT_H

#include "server_internal.h"

/* mount(2) srv->device on @mountpoint: 0 or -errno. */
int mount_server(struct server *srv, const char *mountpoint);
void unmount_server(struct server *srv);

/* Set srv->connection and srv->abort; no request reaches the server. */
int mount_find_connection(struct server *srv);
/* True if the kernel has ended the connection, as far as can be told without waiting. */
bool mount_connection_ended(struct server *srv);
/* Abort through fusectl, harmless after the connection has ended: 0 or -errno. */
int mount_abort(struct server *srv);

#endif /* FUSE_SELFTEST_SERVER_MOUNT_H */
