/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a failure prints: enough for a stranger to see which two views disagree,
 * where, since which operation, and how to run exactly this again. Every line
 * is a KTAP diagnostic ("# ").
 */
#ifndef FUSE_SELFTEST_REPORT_H
#define FUSE_SELFTEST_REPORT_H

#include "oracle.h"
#include "sandbox.h"
#include "view.h"

/* The case being run. @program and @test outlive it. */
struct report_case {
	const char *program;	/* argv[0] */
	const char *test;	/* fixture.variant.test, as for the harness's -r */
	char name[160];		/* the row of the test's table, as for FUSE_TEST_CASE, or "" */
	const struct sandbox *sb;
	const char *command;	/* reruns it, where that is not PROGRAM -r TEST; may be NULL */
};

/*
 * Name the row of the test's table that is about to run ("": none). True if it
 * shall run: FUSE_TEST_CASE is unset or names it.
 */
bool report_select(struct report_case *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Print one KTAP diagnostic line. */
void report_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The command that reruns exactly @c. */
void report_rerun(const struct report_case *c);

/* @who read through @view by @action and saw @m. */
void report_mismatch(const struct report_case *c, const char *who, const struct view_spec *view,
		     const char *action, const struct oracle_mismatch *m);

/* Name open(2)'s flags; @buf is returned. */
const char *report_open_flags(int flags, char *buf, size_t len);

#endif /* FUSE_SELFTEST_REPORT_H */
