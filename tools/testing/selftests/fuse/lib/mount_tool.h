/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUSE_SELFTEST_MOUNT_TOOL_H
#define FUSE_SELFTEST_MOUNT_TOOL_H

/* The program passthrough_mount, for it and for the test of it: its exit status. */
int passthrough_mount(int argc, char **argv);

#endif /* FUSE_SELFTEST_MOUNT_TOOL_H */
