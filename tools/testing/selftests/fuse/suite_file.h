/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of most programs: one file under test (testfile.h) on a passthrough
 * mount of each backing file system.
 */
#ifndef FUSE_SELFTEST_SUITE_FILE_H
#define FUSE_SELFTEST_SUITE_FILE_H

#include "suite.h"
#include "testfile.h"

/* For FIXTURE_SETUP: @sb and *@tf stand afterwards, or the test is skipped or has failed. */
static inline void suite_file_set_up(struct __test_metadata *_metadata, const char *fs,
				     enum server_mode mode, struct sandbox *sb,
				     struct testfile **tf)
{
	struct report_case report;

	SUITE_SANDBOX(sb, ((struct sandbox_options) {
		.fs = fs,
		.server = {
			.mode = mode,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	report = suite_case(_metadata, fs, sb);
	*tf = testfile_new(&report);
	ASSERT_NE(NULL, *tf);
}

/* @readers: which ones the checks use, see struct testfile; NULL: all. */
#define SUITE_FILE_FIXTURE(name, readers)				\
	FIXTURE(name)							\
	{								\
		struct sandbox sb;					\
		struct testfile *tf;					\
	};								\
									\
	BACKING_VARIANTS(name);						\
									\
	FIXTURE_SETUP(name)						\
	{								\
		suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH, \
				  &self->sb, &self->tf);		\
		if (self->tf)						\
			self->tf->reads = readers;			\
	}								\
									\
	FIXTURE_TEARDOWN(name)						\
	{								\
		testfile_free(self->tf);				\
		sandbox_destroy(&self->sb);				\
	}

#endif /* FUSE_SELFTEST_SUITE_FILE_H */
