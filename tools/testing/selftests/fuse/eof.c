// SPDX-License-Identifier: GPL-2.0
/*
 * End of file under live mappings of a file opened in passthrough mode.
 *
 * mmap(2) and POSIX mmap(): a page wholly past end of file raises SIGBUS; the
 * rest of the page that holds end of file reads zero, and what is stored there
 * is not part of the file, now or later. Which page that is, the backing file
 * decides, whatever size FUSE has cached and whoever truncated.
 *
 * The E ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "fault.h"
#include "suite_file.h"

struct eof {
	struct testfile *tf;
	struct view private;		/* with pages of its own and pages of the file */
};

FIXTURE(eof)
{
	struct sandbox sb;
	struct eof eof;
};

BACKING_VARIANTS(eof);

static const struct server_options passthrough = {
	.mode = SERVER_PASSTHROUGH,
	.attr_timeout = LONG_TIMEOUT,
	.entry_timeout = LONG_TIMEOUT,
};

FIXTURE_SETUP(eof)
{
	suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH, &self->sb, &self->eof.tf);
	if (self->eof.tf)
		self->eof.tf->reads = testfile_reads_briefly;
}

static void remove_file(struct eof *eof)
{
	view_close(&eof->private);
	testfile_remove(eof->tf);
}

FIXTURE_TEARDOWN(eof)
{
	remove_file(&self->eof);
	testfile_free(self->eof.tf);
	sandbox_destroy(&self->sb);
}

/* A fresh file, every view open, the private one with a page of its own in the middle. */
static void open_with_private(struct __test_metadata *_metadata, struct eof *eof)
{
	struct testfile *tf = eof->tf;

	open_file(_metadata, tf, "file");
	ASSERT_EQ(0, view_open(&eof->private, &view_private, tf->fuse, TESTFILE_ROOM));
	ASSERT_EQ(0, fault_copy(eof->private.map + 2 * page(), "p", 1, NULL));
}

/* --- the boundary -------------------------------------------------------------- */

enum access { LOAD, STORE };

/* One byte at @off of @v: a fault there, or none, as the size of the file has it. */
static bool faults_as_it_should(struct testfile *tf, const struct view *v, off_t off,
				enum access access)
{
	bool past = off >= (tf->oracle.size + page() - 1) / page() * page();
	char *addr = v->map + off, byte = 0;
	struct fault f;

	if (access == STORE)
		fault_copy(addr, "!", 1, &f);
	else
		fault_copy(&byte, addr, 1, &f);
	if (past ? f.signo == SIGBUS && f.code == BUS_ADRERR && f.addr == addr : !f.signo)
		return true;

	report_line("FAULT: %s at %lld of %s, file size %lld: signal %d code %d at map%+td, expected %s",
		    access == STORE ? "store" : "load", (long long)off, v->spec->name,
		    (long long)tf->oracle.size, f.signo, f.code,
		    f.signo ? (char *)f.addr - v->map : 0,
		    past ? "SIGBUS BUS_ADRERR at the byte" : "none");
	report_line("  backing %s, case: %s", tf->report.sb->fs, tf->report.name);
	report_rerun(&tf->report);
	return false;
}

/* Every page of one mapping; only pages past the end are stored to. */
static bool boundary_of_view(struct testfile *tf, const struct view *v)
{
	bool right = true;
	off_t off;

	if (!view_is_map(v))
		return true;
	for (off = 0; off < TESTFILE_ROOM && right; off += page()) {
		right &= faults_as_it_should(tf, v, off, LOAD);
		right &= faults_as_it_should(tf, v, off + page() - 1, LOAD);
		if (off >= tf->oracle.size && v->spec->prot & PROT_WRITE)
			right &= faults_as_it_should(tf, v, off + 100, STORE);
	}
	return right;
}

static bool boundary_is_right(struct eof *eof)
{
	struct testfile *tf = eof->tf;
	enum view_id id;
	bool right = true;

	for (id = 0; id < NR_VIEWS; id++)
		right &= boundary_of_view(tf, &tf->actors[SELF].views[id]);
	return right & boundary_of_view(tf, &eof->private);
}

/* --- E2: truncated ---------------------------------------------------------------- */

static int ftruncate_fuse(struct testfile *tf, off_t size)
{
	return ftruncate(fd_of(tf, F1), size);
}

static int truncate_path(struct testfile *tf, off_t size)
{
	return truncate(tf->fuse, size);
}

static int ftruncate_backing(struct testfile *tf, off_t size)
{
	return ftruncate(fd_of(tf, B), size);
}

static int truncate_backing_path(struct testfile *tf, off_t size)
{
	return truncate(tf->backing, size);
}

static int open_truncating(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

static int o_trunc(struct testfile *tf, off_t size)
{
	return size ? -1 : open_truncating(tf->fuse);
}

static int o_trunc_backing(struct testfile *tf, off_t size)
{
	return size ? -1 : open_truncating(tf->backing);
}

static const struct way {
	const char *name;
	int (*resize)(struct testfile *tf, off_t size);
	bool to_zero;		/* can do nothing else */
} ways[] = {
	{ "ftruncate",		ftruncate_fuse,		false },
	{ "truncate",		truncate_path,		false },
	{ "ftruncate-backing",	ftruncate_backing,	false },
	{ "truncate-backing",	truncate_backing_path,	false },
	{ "o_trunc",		o_trunc,		true },
	{ "o_trunc-backing",	o_trunc_backing,	true },
};

/* What the mappings have done to the pages before. */
static const char *const states[] = { "untouched", "clean", "dirty" };
enum { UNTOUCHED, CLEAN, DIRTY };

static void prepare(struct __test_metadata *_metadata, struct testfile *tf, int state)
{
	if (state == DIRTY)
		ASSERT_EQ(TESTFILE_SIZE, testfile_write(tf, SELF, MS, action_find("store"),
							TESTFILE_SIZE, 0));
	if (state != UNTOUCHED)
		ASSERT_EQ(0U, testfile_check_all(tf));
}

static void truncate_once(struct __test_metadata *_metadata, struct eof *eof,
			  const struct way *way, off_t size, int state)
{
	struct testfile *tf = eof->tf;

	open_with_private(_metadata, eof);
	prepare(_metadata, tf, state);
	ASSERT_EQ(0, way->resize(tf, size)) {
		TH_LOG("%s to %lld: %s", way->name, (long long)size, strerror(errno));
	}
	oracle_resize(&tf->oracle, size);
	EXPECT_TRUE(boundary_is_right(eof));
	EXPECT_EQ(0U, testfile_check_all(tf));
	remove_file(eof);
	tf->cases++;
}

/* Every way to truncate, every kind of new size, every page state. */
static void truncate_all(struct __test_metadata *_metadata, struct eof *eof,
			 bool to_zero_only)
{
	const off_t sizes[] = { 0, page() + 123, 2 * page(), 6 * page(), TESTFILE_SIZE - 1 };
	size_t w, s;
	int state;

	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		if (to_zero_only && !ways[w].to_zero)
			continue;
		for (s = 0; s < (ways[w].to_zero ? 1 : ARRAY_SIZE(sizes)); s++) {
			for (state = UNTOUCHED; state <= DIRTY; state++) {
				if (!report_select(&eof->tf->report, "%s,%lld,%s", ways[w].name,
						   (long long)sizes[s], states[state]))
					continue;
				truncate_once(_metadata, eof, &ways[w], sizes[s], state);
			}
		}
	}
	eof->tf->report.name[0] = '\0';
	expect_engaged(_metadata, eof->tf);
}

/* E2 */
TEST_F(eof, truncated_pages_raise_sigbus)
{
	truncate_all(_metadata, &self->eof, false);
}

/* E2: without ATOMIC_O_TRUNC the kernel sends a SETATTR after the OPEN. */
TEST_F(eof, truncated_pages_raise_sigbus_without_atomic_o_trunc)
{
	struct server_options opt = passthrough;

	opt.mode = suite_mode(opt.mode);
	opt.init_clear = FUSE_ATOMIC_O_TRUNC;
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(&self->sb, &opt)) {
		TH_LOG("remount: %s", self->sb.why);
	}
	truncate_all(_metadata, &self->eof, true);
	EXPECT_LT(0U, server_requests(self->sb.server, FUSE_SETATTR));
}

/* --- E4: whose size counts ---------------------------------------------------------- */

/* E4: FUSE has the old size cached all the time; the pages are the backing file's. */
TEST_F(eof, boundary_follows_the_backing_size)
{
	const off_t sizes[] = {
		page() + 123, 5 * page() + 1, 1, TESTFILE_ROOM, 4 * page(), 0, 3 * page() - 1,
	};
	struct testfile *tf = self->eof.tf;
	struct stat st;
	size_t i;

	open_with_private(_metadata, &self->eof);
	ASSERT_EQ(0, fstat(fd_of(tf, F1), &st));
	ASSERT_EQ(TESTFILE_SIZE, st.st_size);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, ftruncate(fd_of(tf, B), sizes[i]));
		oracle_resize(&tf->oracle, sizes[i]);
		EXPECT_TRUE(boundary_is_right(&self->eof));
		EXPECT_EQ(0U, testfile_check_all(tf)) {
			TH_LOG("after the backing file became %lld bytes", (long long)sizes[i]);
		}
		if (sizes[i] > page()) {
			/* What appeared is stored to like anything else. */
			ASSERT_EQ(300, testfile_write(tf, SELF, MS, action_find("store"), 300,
						      sizes[i] - 300));
			EXPECT_EQ(0U, testfile_check_all(tf));
		}
	}
	tf->cases++;
	expect_engaged(_metadata, tf);
}

/* --- E3: truncated and grown again ---------------------------------------------------- */

#define SMALL	(page() + 123)
#define GROWN	(6 * page() + 500)

/* Growth by a write leaves a gap before the bytes written. */
static int write_past_end(struct testfile *tf, enum view_id view)
{
	return testfile_write(tf, SELF, view, action_find("pwrite"), 64, GROWN - 64) != 64;
}

static int grow_by_ftruncate(struct testfile *tf)
{
	return ftruncate_fuse(tf, GROWN);
}

static int grow_backing_by_ftruncate(struct testfile *tf)
{
	return ftruncate_backing(tf, GROWN);
}

static int grow_by_fallocate(struct testfile *tf)
{
	return fallocate(fd_of(tf, F1), 0, SMALL, GROWN - SMALL);
}

static int grow_by_write(struct testfile *tf)
{
	return write_past_end(tf, F1);
}

static int grow_backing_by_write(struct testfile *tf)
{
	return write_past_end(tf, B);
}

static const struct growth {
	const char *name;
	int (*grow)(struct testfile *tf);
} growths[] = {
	{ "ftruncate",		grow_by_ftruncate },
	{ "ftruncate-backing",	grow_backing_by_ftruncate },
	{ "fallocate",		grow_by_fallocate },
	{ "write",		grow_by_write },
	{ "write-backing",	grow_backing_by_write },
};

/* Write dirty pages back and drop them: what comes next is read from the file system. */
static void write_back_and_drop(struct __test_metadata *_metadata, struct testfile *tf)
{
	ASSERT_EQ(0, msync(tf->actors[SELF].views[MS].map, tf->oracle.size, MS_SYNC));
	ASSERT_EQ(0, fsync(fd_of(tf, B)));
	ASSERT_EQ(0, posix_fadvise(fd_of(tf, B), 0, 0, POSIX_FADV_DONTNEED));
}

static void shrink_and_grow(struct __test_metadata *_metadata, struct eof *eof,
			    const struct way *way, const struct growth *growth)
{
	struct testfile *tf = eof->tf;

	open_with_private(_metadata, eof);
	prepare(_metadata, tf, DIRTY);
	ASSERT_EQ(0, way->resize(tf, SMALL));
	oracle_resize(&tf->oracle, SMALL);
	ASSERT_EQ(0, growth->grow(tf)) {
		TH_LOG("%s: %s", growth->name, strerror(errno));
	}
	oracle_resize(&tf->oracle, GROWN);
	EXPECT_TRUE(boundary_is_right(eof));
	EXPECT_EQ(0U, testfile_check_all(tf));

	ASSERT_EQ(3 * page(), testfile_write(tf, SELF, MS, action_find("store"), 3 * page(),
					     page() / 2));
	EXPECT_EQ(0U, testfile_check_all(tf));
	write_back_and_drop(_metadata, tf);
	EXPECT_EQ(0U, testfile_check_all(tf));
	remove_file(eof);
	tf->cases++;
}

/* E3: what was cut off does not come back, and what is stored then stays. */
TEST_F(eof, regrown_bytes_are_zero_and_keep_stores)
{
	size_t w, g;

	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		for (g = 0; g < ARRAY_SIZE(growths) && !ways[w].to_zero; g++) {
			if (!report_select(&self->eof.tf->report, "%s,%s", ways[w].name,
					   growths[g].name))
				continue;
			shrink_and_grow(_metadata, &self->eof, &ways[w], &growths[g]);
		}
	}
	self->eof.tf->report.name[0] = '\0';
	expect_engaged(_metadata, self->eof.tf);
}

/* --- E1: the rest of the last page ---------------------------------------------------- */

/* One extension of a file with garbage behind its end. */
struct extension {
	const char *dir;	/* of the file: FUSE mount or backing directory */
	const char *backing;	/* directory */
	int fd;
	off_t size, to;		/* before and after, bytes */
	const void *data;	/* the last bytes, for those who write */
	size_t len;
};

static int by_ftruncate(const struct extension *e)
{
	return ftruncate(e->fd, e->to);
}

static int by_fallocate(const struct extension *e)
{
	return fallocate(e->fd, 0, e->size, e->to - e->size);
}

static int by_pwrite(const struct extension *e)
{
	return pwrite(e->fd, e->data, e->len, e->to - e->len) != (ssize_t)e->len;
}

/* From a file of @dir that holds just the data. */
static int by_copy_file_range(const struct extension *e)
{
	char path[PATH_MAX], beside[PATH_MAX];
	off_t to = e->to - e->len;
	int fd, ret = -1;

	snprintf(path, sizeof(path), "%.4000s/source", e->dir);
	snprintf(beside, sizeof(beside), "%.4000s/source", e->backing);
	fd = open(beside, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0 && write(fd, e->data, e->len) == (ssize_t)e->len)
		ret = 0;
	close(fd);
	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = copy_file_range(fd, NULL, e->fd, &to, e->len, 0) != (ssize_t)e->len;
	close(fd);
	unlink(beside);
	return ret;
}

static const struct extender {
	const char *name;
	enum view_id view;
	int (*extend)(const struct extension *e);
	bool writes;
} extenders[] = {
	{ "ftruncate",		F1,	by_ftruncate,		false },
	{ "ftruncate-backing",	B,	by_ftruncate,		false },
	{ "fallocate",		F1,	by_fallocate,		false },
	{ "fallocate-backing",	B,	by_fallocate,		false },
	{ "write",		F1,	by_pwrite,		true },
	{ "write-backing",	B,	by_pwrite,		true },
	{ "copy_file_range",	F1,	by_copy_file_range,	true },
	{ "copy_file_range-backing", B,	by_copy_file_range,	true },
};

/* Bytes of the gap that are not zero on a file FUSE has never seen: 0, a count or -1. */
static int reappear_on_backing(const struct sandbox *sb, const struct extender *ext)
{
	struct extension e = {
		.dir = sb->backing, .backing = sb->backing,
		.size = page() / 2, .to = 3 * page(), .data = "12345678", .len = 8,
	};
	char path[PATH_MAX], byte, *map;
	off_t off;
	int bad = -1;

	snprintf(path, sizeof(path), "%.4000s/tail-probe", sb->backing);
	e.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	map = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, e.fd, 0);
	if (ftruncate(e.fd, e.size) || map == MAP_FAILED)
		goto out;
	memset(map + e.size, '!', page() - e.size);
	if (ext->extend(&e))
		goto out;
	for (bad = 0, off = e.size; off < page(); off++)
		bad += pread(e.fd, &byte, 1, off) == 1 && byte;
out:
	if (map != MAP_FAILED)
		munmap(map, page());
	close(e.fd);
	unlink(path);
	return bad;
}

static void extend_once(struct __test_metadata *_metadata, struct testfile *tf,
			const struct extender *ext)
{
	struct extension e = {
		.dir = view_specs[ext->view].side == VIEW_FUSE ? tf->report.sb->mnt :
								  tf->report.sb->backing,
		.backing = tf->report.sb->backing,
		.size = TESTFILE_SIZE, .to = TESTFILE_ROOM - 100, .len = 64,
	};
	char garbage[64 * 1024];
	size_t tail = 7 * page() - e.size;
	struct stat st;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0U, testfile_check_all(tf));
	memset(garbage, '!', sizeof(garbage));
	ASSERT_EQ(0, fault_copy(tf->actors[SELF].views[MS].map + e.size, garbage, tail, NULL));
	EXPECT_EQ(0, fstat(fd_of(tf, B), &st));
	EXPECT_EQ(e.size, st.st_size);
	EXPECT_EQ(0U, testfile_check(tf, e.size, 0));

	e.fd = fd_of(tf, ext->view);
	e.data = garbage;
	if (ext->writes)
		oracle_payload(&tf->oracle, garbage, e.len, e.to - e.len);
	ASSERT_EQ(0, ext->extend(&e)) {
		TH_LOG("%s: %s", ext->name, strerror(errno));
	}
	if (ext->writes)
		oracle_wrote(&tf->oracle, "self", view_specs[ext->view].name, ext->name, e.len,
			     e.to - e.len);
	oracle_resize(&tf->oracle, e.to);
	EXPECT_EQ(0U, testfile_check_all(tf));
	testfile_remove(tf);
	tf->cases++;
}

/* E1: bytes stored behind the end are not there when the end moves past them. */
TEST_F(eof, stores_past_the_end_never_reappear)
{
	struct testfile *tf = self->eof.tf;
	unsigned int left_out = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(extenders); i++) {
		if (!report_select(&tf->report, "%s", extenders[i].name))
			continue;
		if (reappear_on_backing(&self->sb, &extenders[i])) {
			report_line("%s left out: %s by itself shows them again",
				    extenders[i].name, variant->fs);
			left_out++;
			continue;
		}
		extend_once(_metadata, tf, &extenders[i]);
	}
	tf->report.name[0] = '\0';
	if (left_out && !tf->cases)
		SKIP(return, "%s by itself shows bytes stored past the end again", variant->fs);
	expect_engaged(_metadata, tf);
}

/* E1: appended bytes are followed by none of them either. */
TEST_F(eof, appended_bytes_replace_stores_past_the_end)
{
	struct testfile *tf = self->eof.tf;
	char garbage[16];

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	memset(garbage, '!', sizeof(garbage));
	ASSERT_EQ(0, fault_copy(tf->actors[SELF].views[MS].map + TESTFILE_SIZE, garbage,
				sizeof(garbage), NULL));
	ASSERT_EQ(8, testfile_write(tf, SELF, FA, action_find("write"), 8, TESTFILE_SIZE));
	EXPECT_EQ(0U, testfile_check(tf, tf->oracle.size, 0));
	ASSERT_EQ(page(), testfile_write(tf, SELF, FA, action_find("write"), page(),
					 tf->oracle.size));
	EXPECT_EQ(0U, testfile_check(tf, tf->oracle.size, 0));
	tf->cases++;
	expect_engaged(_metadata, tf);
}

SUITE_MAIN()
