/* SPDX-License-Identifier: GPL-2.0 */
/* Runs the programs one after the other and reports them as kselftest's runner does. */
#ifndef VM_GUEST_RUNNER_H
#define VM_GUEST_RUNNER_H

#include "plan.h"

/* Run all of @plan. Returns 0 or a negative errno when nothing could be run. */
int runner_run(const struct plan *plan, int kmsg_fd);

#endif /* VM_GUEST_RUNNER_H */
