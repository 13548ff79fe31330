/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report port: one byte stream from the guest to the host that only init
 * writes, so that results, kernel messages and events keep their order. Lines:
 *
 *	k TEXT		a line of KTAP, to be shown to the user as it is
 *	d TEXT		a line of the kernel log
 *	e WORD ...	an event: see vm/watch.py for the list
 */
#ifndef VM_GUEST_WIRE_H
#define VM_GUEST_WIRE_H

/*
 * Open the first port of @ports, blank-separated: "virtio:NAME" or a path below
 * /dev. Returns 0 or a negative errno.
 */
int wire_open(const char *ports);

void wire_ktap(const char *format, ...);
void wire_dmesg(const char *format, ...);
void wire_event(const char *format, ...);

/* Lines of KTAP sent so far: the host compares it with what it received. */
unsigned int wire_ktap_lines(void);

/* Wait until the host has everything. */
void wire_close(void);

#endif /* VM_GUEST_WIRE_H */
