// SPDX-License-Identifier: GPL-2.0
/*
 * Errors of the disk below the backing file.
 *
 * Written bytes may be lost when they are written back, long after write(2) and
 * the store returned: fsync(2) and msync(2) must say so, once to everybody who
 * had the file open. And a page that cannot be read raises SIGBUS.
 *
 * The disk is the image of a file system, in a file of a FUSE server of our own,
 * which fails requests when it is told to:
 *
 *   passthrough mount -> backing file on ext4 -> loop device -> image -> FUSE
 *
 * The L and C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "abi.h"
#include "backing.h"
#include "fault.h"
#include "suite_file.h"

/* Until told otherwise. */
#define ALWAYS		1000000

FIXTURE(disk_errors)
{
	struct sandbox disk;		/* serves the image */
	struct sandbox sb;
	char root[PATH_MAX];		/* of the file system on it, below sb.backing */
	struct testfile *tf;
};

FIXTURE_VARIANT(disk_errors) { const char *fs; };
FIXTURE_VARIANT_ADD(disk_errors, ext4) { .fs = "ext4" };

static enum sandbox_result mount_disk(const struct sandbox *disk, const char *root, char *why,
				      size_t len)
{
	char beside[PATH_MAX], image[PATH_MAX];

	snprintf(beside, sizeof(beside), "%.4000s/image", disk->backing);
	snprintf(image, sizeof(image), "%.4000s/image", disk->mnt);
	return backing_mount_disk(BACKING_PLAIN_DISK, beside, image, root, why, len);
}

FIXTURE_SETUP(disk_errors)
{
	struct report_case report;
	char why[256];

	/* Direct: what the loop device asks for is asked of the server, and nothing else. */
	SUITE_SANDBOX(&self->disk, ((struct sandbox_options) {
		.fs = "tmpfs",
		.server = { .mode = SERVER_DIRECT, .attr_timeout = LONG_TIMEOUT,
			    .entry_timeout = LONG_TIMEOUT },
	}));
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = "tmpfs",
		.server = { .mode = SERVER_PASSTHROUGH, .attr_timeout = LONG_TIMEOUT,
			    .entry_timeout = LONG_TIMEOUT },
	}));
	snprintf(self->root, sizeof(self->root), "%.4000s/disk", self->sb.backing);
	ASSERT_EQ(0, mkdir(self->root, 0755));
	SUITE_NEED(mount_disk(&self->disk, self->root, why, sizeof(why)), why);
	/* For the reports: that is where the files of the tests are. */
	self->sb.fs = variant->fs;
	report = suite_case(_metadata, variant->fs, &self->sb);
	self->tf = testfile_new(&report);
	ASSERT_NE(NULL, self->tf);
	self->tf->reads = testfile_reads_briefly;
	ASSERT_EQ(0, testfile_create(self->tf, "disk/file"));
	/* Without O_DIRECT, which reads what the disk has. */
	ASSERT_EQ(0, testfile_open(self->tf, SELF, self->tf->views & ~VIEW_BIT(FD)));
}

FIXTURE_TEARDOWN(disk_errors)
{
	if (self->disk.server) {
		server_fail(self->disk.server, FUSE_READ, 0, 0);
		server_fail(self->disk.server, FUSE_WRITE, 0, 0);
	}
	testfile_free(self->tf);
	/* While the disk still answers. */
	umount2(self->root, MNT_DETACH);
	sandbox_destroy(&self->sb);
	sandbox_destroy(&self->disk);
}

static const struct view *view_of(const struct testfile *tf, enum view_id view)
{
	return &tf->actors[SELF].views[view];
}

/* --- L4: what cannot be written back ------------------------------------------------ */

static int sync_map(const struct view *v)
{
	return msync(v->map, v->map_len, MS_SYNC) ? errno : 0;
}

static int sync_file(const struct view *v)
{
	return fsync(v->fd) ? errno : 0;
}

static int sync_data(const struct view *v)
{
	return fdatasync(v->fd) ? errno : 0;
}

static const struct syncing {
	enum view_id view;
	const char *name;
	int (*sync)(const struct view *v);
} syncings[] = {
	{ MS, "msync",		sync_map },
	{ F1, "fsync",		sync_file },
	{ F2, "fdatasync",	sync_data },
	{ FA, "fsync",		sync_file },
	{ MB, "msync",		sync_map },
	{ B,  "fsync",		sync_file },
};

/*
 * L4: whoever had the file open is told of the error, by the first call and not
 * again; the bytes stay what they are as long as the cache has them.
 */
TEST_F(disk_errors, lost_bytes_are_reported_once_to_everybody)
{
	struct testfile *tf = self->tf;
	const struct syncing *s;
	size_t first, i;

	/* Each of them finds the error in turn, the others are told afterwards. */
	for (first = 0; first < ARRAY_SIZE(syncings); first++) {
		ASSERT_EQ(0, sync_map(view_of(tf, MB)));
		ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64,
					     page() + 100));
		server_fail(self->disk.server, FUSE_WRITE, EIO, 1);
		for (i = 0; i < ARRAY_SIZE(syncings); i++) {
			s = &syncings[(first + i) % ARRAY_SIZE(syncings)];
			EXPECT_EQ(EIO, s->sync(view_of(tf, s->view))) {
				TH_LOG("%s through %s after %s through %s met the error", s->name,
				       view_specs[s->view].name, syncings[first].name,
				       view_specs[syncings[first].view].name);
			}
			EXPECT_EQ(0, s->sync(view_of(tf, s->view))) {
				TH_LOG("%s through %s, for the second time", s->name,
				       view_specs[s->view].name);
			}
		}
		EXPECT_EQ(0U, testfile_check_all(tf));
	}
	expect_passed_through(_metadata, tf);
}

/* L4: who writes synchronously is told by the write itself, and may try again. */
TEST_F(disk_errors, synchronous_write_fails_at_once)
{
	static const struct {
		enum view_id view;
		const char *action;
	} writes[] = {
		{ FS, "pwrite" }, { F1, "pwritev2-dsync" }, { FD, "pwrite" },
		{ FS, "splice-write" },
	};
	struct testfile *tf = self->tf;
	const struct action *action;
	size_t i;

	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views & VIEW_BIT(FD)));
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		if (!(tf->views & VIEW_BIT(writes[i].view)))
			continue;
		action = action_find(writes[i].action);
		ASSERT_EQ(0, sync_map(view_of(tf, MB)));
		server_fail(self->disk.server, FUSE_WRITE, EIO, 1);
		EXPECT_EQ(-EIO, testfile_write(tf, SELF, writes[i].view, action, DIRECT_ALIGN,
					       page())) {
			TH_LOG("%s through %s", writes[i].action, view_specs[writes[i].view].name);
		}
		/* Everybody else is owed the same; not what this is about. */
		fsync(view_of(tf, B)->fd);
		sync_map(view_of(tf, MB));
		fsync(view_of(tf, writes[i].view)->fd);
		EXPECT_EQ(DIRECT_ALIGN, testfile_write(tf, SELF, writes[i].view, action,
						       DIRECT_ALIGN, page())) {
			TH_LOG("%s through %s, with the disk well again", writes[i].action,
			       view_specs[writes[i].view].name);
		}
		EXPECT_EQ(0U, testfile_check_all(tf));
	}
	expect_passed_through(_metadata, tf);
}

/* --- L4: what cannot be read ----------------------------------------------------------- */

static void forget_pages(struct __test_metadata *_metadata, const struct testfile *tf)
{
	static const enum view_id maps[] = { MS, MR, MB };
	size_t i;

	ASSERT_EQ(0, sync_map(view_of(tf, MB)));
	/* Pages that are mapped are not dropped. */
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		ASSERT_EQ(0, madvise(view_of(tf, maps[i])->map, TESTFILE_ROOM, MADV_DONTNEED));
	ASSERT_EQ(0, posix_fadvise(view_of(tf, B)->fd, 0, 0, POSIX_FADV_DONTNEED));
}

/* L4: SIGBUS for a load, EIO for a read, and all is well once the disk is. */
TEST_F(disk_errors, unreadable_page_raises_sigbus)
{
	static const char *const readers[] = { "pread", "read", "splice-read", "aio-read" };
	struct testfile *tf = self->tf;
	struct fault f;
	char buf[64];
	size_t i;

	ASSERT_EQ(page(), testfile_write(tf, SELF, MS, action_find("store"), page(), page()));
	forget_pages(_metadata, tf);
	server_fail(self->disk.server, FUSE_READ, EIO, ALWAYS);
	EXPECT_EQ(-EFAULT, fault_copy(buf, view_of(tf, MS)->map + page(), 1, &f));
	EXPECT_EQ(SIGBUS, f.signo);
	EXPECT_EQ(BUS_ADRERR, f.code);
	EXPECT_EQ((void *)(view_of(tf, MS)->map + page()), f.addr);
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		if (action_missing(action_find(readers[i])))
			continue;
		EXPECT_EQ(-EIO, testfile_act(tf, SELF, F1, action_find(readers[i]), buf, 64,
					     page())) {
			TH_LOG("%s", readers[i]);
		}
	}
	server_fail(self->disk.server, FUSE_READ, 0, 0);
	EXPECT_EQ(0U, testfile_check_all(tf));
	ASSERT_EQ(64, testfile_write(tf, SELF, MS, action_find("store"), 64, page()));
	EXPECT_EQ(0U, testfile_check_all(tf));
	expect_passed_through(_metadata, tf);
}

SUITE_MAIN()
