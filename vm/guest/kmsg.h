/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel log: relayed to the report port, and marked at each test. */
#ifndef VM_GUEST_KMSG_H
#define VM_GUEST_KMSG_H

/* Open the log at its oldest message. Returns a descriptor for poll() or a negative errno. */
int kmsg_open(void);

/* Relay every message there is now. */
void kmsg_relay(void);

/* Write a line into the kernel log, so that what follows is attributed to @what. */
void kmsg_mark(const char *what);

/* The taint word of /proc/sys/kernel/tainted. */
unsigned long kmsg_taint(void);

#endif /* VM_GUEST_KMSG_H */
