/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of most programs: one file under test (testfile.h) on a passthrough
 * mount of each backing file system.
 */
#ifndef FUSE_SELFTEST_SUITE_FILE_H
#define FUSE_SELFTEST_SUITE_FILE_H

#include <sys/mman.h>

#include "abi.h"
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

static inline long page(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* The descriptor of one of the test's own views. */
static inline int fd_of(const struct testfile *tf, enum view_id view)
{
	return tf->actors[SELF].views[view].fd;
}

/* A fresh file with every view open in the test itself. */
static inline void open_file(struct __test_metadata *_metadata, struct testfile *tf,
			     const char *name)
{
	ASSERT_EQ(0, testfile_create(tf, name));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
}

/* The bytes came from where they should: the server was asked for none. */
static inline void expect_passed_through(struct __test_metadata *_metadata,
					 const struct testfile *tf)
{
	EXPECT_EQ(0U, server_requests(tf->report.sb->server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(tf->report.sb->server, FUSE_WRITE));
}

/* Some rows of a table ran, and all passed through. */
static inline void expect_engaged(struct __test_metadata *_metadata, const struct testfile *tf)
{
	expect_passed_through(_metadata, tf);
	EXPECT_NE(0U, tf->cases) {
		TH_LOG("FUSE_TEST_CASE names no case of this test");
	}
}

/* What expect_data_alive() asks for. */
#define DATA_VIEWS	(VIEW_BIT(F1) | VIEW_BIT(MS) | VIEW_BIT(MR) | VIEW_BIT(B) | VIEW_BIT(MB))

/* Everything data can do without the server, on pages touched before and pages that were not. */
static inline void expect_data_alive(struct __test_metadata *_metadata, struct testfile *tf)
{
	struct view *map = &tf->actors[SELF].views[MS];
	char *again;

	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, 100));
	EXPECT_EQ(0U, testfile_check_all(tf));
	ASSERT_EQ(page(), testfile_write(tf, SELF, MS, action_find("store"), page(),
					 4 * page() + 7));
	ASSERT_EQ(9000, testfile_write(tf, SELF, F1, action_find("pwrite"), 9000, page() + 5));
	ASSERT_EQ(64, testfile_write(tf, SELF, F1, action_find("splice-write"), 64, 5 * page()));
	ASSERT_EQ(64, testfile_write(tf, SELF, B, action_find("pwrite"), 64, 3 * page()));
	EXPECT_EQ(0U, testfile_check_all(tf));
	EXPECT_EQ(0, msync(map->map, page(), MS_SYNC));
	again = mmap(NULL, page(), PROT_READ, MAP_SHARED, fd_of(tf, F1), 0);
	EXPECT_NE(MAP_FAILED, again);
	if (again != MAP_FAILED)
		munmap(again, page());
}

#endif /* FUSE_SELFTEST_SUITE_FILE_H */
