// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "fault.h"

/* The copy must not move out of the guarded stretch. */
#define barrier()	atomic_signal_fence(memory_order_seq_cst)

/* What the handler must reach: where this thread's guarded access returns to. */
static __thread sigjmp_buf escape;
static __thread struct fault caught;
static __thread volatile sig_atomic_t guarded;

static void catch_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;

	if (!guarded) {
		/* Not ours: let the default action report it, at the same instruction. */
		signal(signo, SIG_DFL);
		return;
	}
	guarded = 0;
	caught = (struct fault) { signo, info->si_code, info->si_addr };
	siglongjmp(escape, 1);
}

/*
 * Installed once and kept: dispositions are process-wide, so restoring them
 * after each access would take the guard from another thread.
 */
static void install(void)
{
	struct sigaction sa = {
		.sa_sigaction = catch_fault,
		/* siglongjmp() leaves the handler without restoring a mask */
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
}

int fault_copy(void *dst, const void *src, size_t len, struct fault *fault)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
	if (fault)
		memset(fault, 0, sizeof(*fault));

	if (sigsetjmp(escape, 0)) {
		if (fault)
			*fault = caught;
		return -EFAULT;
	}
	guarded = 1;
	barrier();
	memcpy(dst, src, len);
	barrier();
	guarded = 0;
	return 0;
}
