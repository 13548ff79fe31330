/* SPDX-License-Identifier: GPL-2.0 */
/* Why something did not work, in one line, together with what that means for a test. */
#ifndef FUSE_SELFTEST_REASON_H
#define FUSE_SELFTEST_REASON_H

#include <stdarg.h>
#include <stdio.h>

#include "kselftest.h"
#include "sandbox.h"

struct reason {
	char *text;
	size_t len;
};

#define REASON_OF(sb) (&(const struct reason){ (sb)->why, sizeof((sb)->why) })

/* Returns @result, so that it reads "return because(why, SANDBOX_BROKEN, ...)". */
static inline enum sandbox_result __printf(3, 4)
because(const struct reason *why, enum sandbox_result result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->len, format, args);
	va_end(args);
	return result;
}

#endif /* FUSE_SELFTEST_REASON_H */
