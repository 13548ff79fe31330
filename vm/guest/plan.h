/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host wants done in this boot, from /run.conf. One item a line:
 *
 *	nonce WORD		to be repeated in the end marker
 *	report PORT ...		see wire_open()
 *	timeout SECONDS		limit of one program
 *	set NAME=VALUE		environment of the programs
 *	program NAME ARG ...	run /suite/NAME with these arguments
 *	skip NAME WHY		report the program as skipped, do not run it
 *	shell			no tests: a shell on the console
 */
#ifndef VM_GUEST_PLAN_H
#define VM_GUEST_PLAN_H

#include <stdbool.h>

#define PLAN_PROGRAMS	128
#define PLAN_ARGS	64

struct plan {
	char nonce[64];
	char report[256];
	unsigned int timeout;
	bool shell;
	unsigned int programs;
	char **argv[PLAN_PROGRAMS];	/* argv[i][0] is the program's name */
	char *skip[PLAN_PROGRAMS];	/* why not, or NULL */
};

/* Returns 0 or a negative errno. Sets the environment on the way. */
int plan_read(struct plan *plan, const char *path);

#endif /* VM_GUEST_PLAN_H */
