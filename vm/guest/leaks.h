/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that the kernel has lost, on kernels with CONFIG_DEBUG_KMEMLEAK. */
#ifndef VM_GUEST_LEAKS_H
#define VM_GUEST_LEAKS_H

/* Scan for it and report what is found as lines of the kernel log; takes seconds. */
void leaks_report(void);

#endif /* VM_GUEST_LEAKS_H */
