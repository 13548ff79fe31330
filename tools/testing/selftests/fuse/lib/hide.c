// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "hide.h"

#define JUMP_IF(number)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1)
#define ANSWER(value)	BPF_STMT(BPF_RET | BPF_K, value)

int hide_system_calls(const unsigned int *numbers, size_t count)
{
	struct sock_filter code[2 + 2 * HIDE_CALLS] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { .filter = code, .len = 1 };
	size_t i;

	if (count > HIDE_CALLS)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		code[program.len++] = (struct sock_filter)JUMP_IF(numbers[i]);
		code[program.len++] = (struct sock_filter)ANSWER(SECCOMP_RET_ERRNO | ENOSYS);
	}
	code[program.len++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	/* Only who gains no privileges by execve(2) may filter, or root. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}
