// SPDX-License-Identifier: GPL-2.0
/* Stands in for every program when there is no libfuse3 to build it with. */
#include "kselftest.h"

int main(void)
{
	ksft_print_header();
	ksft_exit_skip("built without libfuse3: install it (libfuse3-dev) and build again\n");
}
