/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads and stores that may fault. Access past the end of a mapped file raises
 * SIGBUS (mmap(2)); for a test that is an outcome, not a death.
 */
#ifndef FUSE_SELFTEST_FAULT_H
#define FUSE_SELFTEST_FAULT_H

#include <stddef.h>

/* Outcome of a guarded access: signo is 0 when nothing was raised. */
struct fault {
	int signo;	/* SIGBUS or SIGSEGV */
	int code;	/* si_code, sigaction(2) */
	void *addr;	/* si_addr */
};

/*
 * memcpy() between a mapping and plain memory. 0, or -EFAULT with *@fault (may
 * be NULL) filled in. Bytes below the fault may have been copied. Each thread
 * is guarded by itself; the handlers stay installed after the first call.
 */
int fault_copy(void *dst, const void *src, size_t len, struct fault *fault);

#endif /* FUSE_SELFTEST_FAULT_H */
