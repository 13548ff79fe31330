/* SPDX-License-Identifier: GPL-2.0 */
/* Loop devices, loop(4), that clear themselves with their last user. */
#ifndef FUSE_SELFTEST_LOOP_H
#define FUSE_SELFTEST_LOOP_H

#include <stddef.h>

/*
 * Attach the open file @image to a free loop device, tagged @name. Returns a
 * descriptor of the device and its path in @path, or a negative errno: ENOENT
 * and ENODEV when the kernel has no loop devices. A mount made before the
 * descriptor is closed keeps the device attached until it is unmounted.
 */
int loop_attach(int image, const char *name, char *path, size_t len);

#endif /* FUSE_SELFTEST_LOOP_H */
