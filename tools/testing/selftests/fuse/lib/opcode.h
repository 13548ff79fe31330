/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUSE_SELFTEST_OPCODE_H
#define FUSE_SELFTEST_OPCODE_H

#include <stdint.h>

/* One more than the highest opcode that has a name. */
#define OPCODE_END 54

/* "READ", "LOOKUP" ...; "?" for a number that was never given. */
const char *opcode_name(uint32_t opcode);

#endif /* FUSE_SELFTEST_OPCODE_H */
