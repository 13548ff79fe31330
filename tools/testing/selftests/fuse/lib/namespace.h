/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The private mount namespace of a program and what is in it. Everything lies on
 * one private tmpfs, mounted over a directory that the host already has; it goes
 * with the last process of the namespace.
 */
#ifndef FUSE_SELFTEST_NAMESPACE_H
#define FUSE_SELFTEST_NAMESPACE_H

#include <stddef.h>
#include <sys/types.h>

/* In the namespace's mounts, loop devices and images, for people and leak checks. */
#define NAMESPACE_TAG "fuse-selftest"

/*
 * Leave the host's mounts, mount the private tmpfs and fusectl. Fails with a
 * negative errno and one line in @why; then the process is in a namespace
 * without use, but the host is as before.
 */
int namespace_enter(char *why, size_t len);

/* The private tmpfs, fusectl in it, and the process that made the namespace; NULL/0 before. */
const char *namespace_base(void);
const char *namespace_fusectl(void);
pid_t namespace_program(void);

/* A number no other process of the program was given. */
unsigned int namespace_unique(void);

#endif /* FUSE_SELFTEST_NAMESPACE_H */
