// SPDX-License-Identifier: GPL-2.0
/*
 * Memory management on a mapping of a file opened in passthrough mode: pages
 * are moved, dropped, written out, locked, collapsed, and the mapping itself is
 * grown, moved and cut. None of it changes a byte of the file, except
 * MADV_REMOVE, whose purpose it is: the hole is punched into the backing file
 * and every view must show it.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "abi.h"
#include "fault.h"
#include "suite_file.h"

/* Younger than some C libraries; the same numbers on every architecture but parisc. */
#ifndef MADV_COLD
#define MADV_COLD		20	/* Linux 5.4 */
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22	/* Linux 5.14 */
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25	/* Linux 6.1 */
#endif

#define MPOL_MF_MOVE		(1 << 1)	/* <linux/mempolicy.h> clashes with <numaif.h> */

SUITE_FILE_FIXTURE(memory, testfile_reads_briefly);

static struct view *shared(struct testfile *tf)
{
	return &tf->actors[SELF].views[MS];
}

/* --- what is done to the mapping: 0, or errno --------------------------------------- */

static int advise(struct testfile *tf, int advice)
{
	return madvise(shared(tf)->map, shared(tf)->map_len, advice) ? errno : 0;
}

#define ADVICE(name, advice)						\
	static int name(struct testfile *tf)				\
	{								\
		return advise(tf, advice);				\
	}

ADVICE(dontneed, MADV_DONTNEED)
ADVICE(cold, MADV_COLD)
ADVICE(pageout, MADV_PAGEOUT)
ADVICE(willneed, MADV_WILLNEED)
ADVICE(sequential, MADV_SEQUENTIAL)
ADVICE(randomly, MADV_RANDOM)
ADVICE(mergeable, MADV_MERGEABLE)
ADVICE(hugepage, MADV_HUGEPAGE)
ADVICE(collapse, MADV_COLLAPSE)
ADVICE(dontdump, MADV_DONTDUMP)

/* Only up to the page of end of file: past it there is nothing to populate. */
static int populate(struct testfile *tf, int advice)
{
	return madvise(shared(tf)->map, 7 * page(), advice) ? errno : 0;
}

static int populate_read(struct testfile *tf)
{
	return populate(tf, MADV_POPULATE_READ);
}

static int populate_write(struct testfile *tf)
{
	return populate(tf, MADV_POPULATE_WRITE);
}

/* For pages of the process alone, madvise(2): refused, and nothing freed. */
static int free_lazily(struct testfile *tf)
{
	return advise(tf, MADV_FREE) == EINVAL ? 0 : EBADMSG;
}

static int remap(struct testfile *tf, size_t len, int flags, void *to)
{
	struct view *v = shared(tf);
	char *map = mremap(v->map, v->map_len, len, flags, to);

	if (map == MAP_FAILED)
		return errno;
	v->map = map;
	v->map_len = len;
	return 0;
}

static int grow(struct testfile *tf)
{
	return remap(tf, 2 * TESTFILE_ROOM, MREMAP_MAYMOVE, NULL);
}

static int shrink_and_grow(struct testfile *tf)
{
	return remap(tf, page(), 0, NULL) ?: remap(tf, TESTFILE_ROOM, MREMAP_MAYMOVE, NULL);
}

/* Over a mapping of something else, which goes. */
static int move(struct testfile *tf)
{
	char *to = mmap(NULL, TESTFILE_ROOM, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED)
		return errno;
	return remap(tf, TESTFILE_ROOM, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

/* mremap(2) of no bytes makes a second mapping of the same pages; the first stays. */
static int duplicate(struct testfile *tf)
{
	struct view *v = shared(tf);
	char *twin = mremap(v->map, 0, TESTFILE_ROOM, MREMAP_MAYMOVE);

	if (twin == MAP_FAILED)
		return errno;
	munmap(v->map, v->map_len);
	v->map = twin;
	return 0;
}

/* A piece in the middle is gone, then mapped again in place. */
static int unmap_a_piece(struct testfile *tf)
{
	char *piece = shared(tf)->map + page(), byte;
	struct fault fault;

	if (munmap(piece, 2 * page()))
		return errno;
	fault_copy(&byte, piece, 1, &fault);
	if (fault.signo != SIGSEGV)
		return EBADMSG;
	return mmap(piece, 2 * page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    fd_of(tf, MS), page()) == MAP_FAILED ? errno : 0;
}

/* remap_file_pages(2) is emulated by a mapping at another offset; then back. */
static int remap_pages(struct testfile *tf)
{
	struct view *v = shared(tf);
	bool shows;

	if (remap_file_pages(v->map, page(), 0, 5, 0))
		return errno;
	shows = !memcmp(v->map, v->map + 5 * page(), page());
	if (remap_file_pages(v->map, page(), 0, 0, 0))
		return errno;
	return shows ? 0 : EBADMSG;
}

static int protect_and_back(struct testfile *tf)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_WRITE,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prots); i++)
		if (mprotect(shared(tf)->map, TESTFILE_ROOM, prots[i]))
			return errno;
	return 0;
}

static int lock(struct testfile *tf)
{
	return mlock(shared(tf)->map, 7 * page()) ? errno : 0;
}

static int lock_and_unlock(struct testfile *tf)
{
	return lock(tf) ?: munlock(shared(tf)->map, 7 * page()) ? errno : 0;
}

static int sync_async(struct testfile *tf)
{
	return msync(shared(tf)->map, TESTFILE_ROOM, MS_ASYNC) ? errno : 0;
}

/* MS_INVALIDATE drops nothing on Linux, where all mappings are one cache. */
static int sync_invalidate(struct testfile *tf)
{
	return msync(shared(tf)->map, TESTFILE_ROOM, MS_SYNC | MS_INVALIDATE) ? errno : 0;
}

static int drop_clean_pages(struct testfile *tf)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC), ret = 0;

	(void)tf;
	if (fd < 0)
		return errno;
	if (write(fd, "1", 1) != 1)
		ret = errno;
	close(fd);
	return ret;
}

/* Written out first, so that there is something to drop. */
static int fadvise_dontneed(struct testfile *tf)
{
	if (fsync(fd_of(tf, B)))
		return errno;
	return posix_fadvise(fd_of(tf, F1), 0, 0, POSIX_FADV_DONTNEED) ?:
	       posix_fadvise(fd_of(tf, B), 0, 0, POSIX_FADV_DONTNEED);
}

/* Every page to a node it is on already, or elsewhere if there is more than one. */
static int migrate(struct testfile *tf)
{
	unsigned long zero_or_one = 3;

	return syscall(__NR_migrate_pages, 0, 8 * sizeof(zero_or_one), &zero_or_one,
		       &zero_or_one) < 0 ? errno : 0;
}

/* Pages to node 0, wherever they were. */
static int move_to_node(struct testfile *tf)
{
	void *pages[TESTFILE_PAGES];
	int nodes[TESTFILE_PAGES] = {}, status[TESTFILE_PAGES], i;

	for (i = 0; i < TESTFILE_PAGES; i++)
		pages[i] = shared(tf)->map + i * page();
	return syscall(__NR_move_pages, 0, 7, pages, nodes, status, MPOL_MF_MOVE) < 0 ? errno : 0;
}

static const struct treatment {
	const char *name;
	int (*apply)(struct testfile *tf);
	int absent;		/* errno of a kernel without it, besides EINVAL and ENOSYS */
} treatments[] = {
	{ "madv-dontneed",	dontneed,	0 },
	{ "madv-cold",		cold,		0 },
	{ "madv-pageout",	pageout,	0 },
	{ "madv-willneed",	willneed,	0 },
	{ "madv-sequential",	sequential,	0 },
	{ "madv-random",	randomly,	0 },
	{ "madv-mergeable",	mergeable,	0 },
	{ "madv-hugepage",	hugepage,	0 },
	{ "madv-collapse",	collapse,	EAGAIN },	/* or no page for it */
	{ "madv-dontdump",	dontdump,	0 },
	{ "madv-free",		free_lazily,	0 },
	{ "madv-populate-read",	populate_read,	0 },
	{ "madv-populate-write", populate_write, 0 },
	{ "mremap-grow",	grow,		0 },
	{ "mremap-shrink-grow",	shrink_and_grow, 0 },
	{ "mremap-move",	move,		0 },
	{ "mremap-duplicate",	duplicate,	0 },
	{ "munmap-a-piece",	unmap_a_piece,	0 },
	{ "remap_file_pages",	remap_pages,	0 },
	{ "mprotect",		protect_and_back, 0 },
	{ "mlock",		lock,		0 },
	{ "mlock-munlock",	lock_and_unlock, 0 },
	{ "msync-async",	sync_async,	0 },
	{ "msync-invalidate",	sync_invalidate, 0 },
	{ "drop_caches",	drop_clean_pages,	EROFS },	/* /proc may be read-only */
	{ "fadvise-dontneed",	fadvise_dontneed, 0 },
	{ "migrate_pages",	migrate,	EPERM },	/* by a container's filter */
	{ "move_pages",		move_to_node,	EPERM },
};

static bool is_absent(const struct treatment *t, int err)
{
	return err && (err == EINVAL || err == ENOSYS || err == t->absent);
}

static void expect_coherent_write(struct __test_metadata *_metadata, struct testfile *tf,
				  enum view_id through, const char *action, size_t len, off_t off)
{
	ASSERT_EQ((ssize_t)len,
		  testfile_write(tf, SELF, through, action_find(action), len, off));
	EXPECT_EQ(0U, testfile_check_all(tf)) {
		TH_LOG("after %s, case %s", action, tf->report.name);
	}
}

/*
 * Dirty pages, a treatment, and the file is as before; stores and writes go on. A
 * second time, now that every page was treated once.
 */
static void treat(struct __test_metadata *_metadata, struct testfile *tf,
		  const struct treatment *t)
{
	int round, err;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0, testfile_open(tf, OTHER, VIEW_BIT(MS) | VIEW_BIT(F1)));
	for (round = 0; round < 2; round++) {
		expect_coherent_write(_metadata, tf, MS, "store", 3 * page(), page() / 2);
		err = t->apply(tf);
		if (is_absent(t, err)) {
			report_line("%s left out: %s", t->name, strerror(err));
			break;
		}
		EXPECT_EQ(0, err) {
			TH_LOG("%s: %s", t->name, strerror(err));
			report_rerun(&tf->report);
		}
		EXPECT_EQ(0U, testfile_check_all(tf)) {
			TH_LOG("after %s", t->name);
		}
		expect_coherent_write(_metadata, tf, MS, "store", page(), 2 * page() + 33);
		expect_coherent_write(_metadata, tf, F1, "pwrite", page(), 40);
		expect_coherent_write(_metadata, tf, MS, "store", 10, 3 * page() + 7);
		tf->cases++;
	}
	testfile_remove(tf);
}

/* C13 */
TEST_F(memory, no_treatment_changes_a_byte)
{
	struct testfile *tf = self->tf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(treatments); i++)
		if (report_select(&tf->report, "%s", treatments[i].name))
			treat(_metadata, tf, &treatments[i]);
	tf->report.name[0] = '\0';
	expect_engaged(_metadata, tf);
}

/* C13: MADV_REMOVE, madvise(2): a hole in the file, seen by all; the size stays. */
TEST_F(memory, removed_range_is_a_hole_for_everybody)
{
	const struct {
		off_t off;
		size_t len;
	} ranges[] = {
		{ page(), page() }, { 0, 3 * page() }, { 2 * page(), 4 * page() },
	};
	struct testfile *tf = self->tf;
	struct stat st;
	size_t i;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0, testfile_open(tf, OTHER, VIEW_BIT(MS) | VIEW_BIT(F1)));
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		expect_coherent_write(_metadata, tf, MS, "store", 3 * page(), page() / 2);
		ASSERT_EQ(0, madvise(shared(tf)->map + ranges[i].off, ranges[i].len,
				     MADV_REMOVE)) {
			TH_LOG("MADV_REMOVE: %s", strerror(errno));
		}
		oracle_hole(&tf->oracle, ranges[i].len, ranges[i].off);
		EXPECT_EQ(0U, testfile_check_all(tf));
		EXPECT_EQ(0, fstat(fd_of(tf, B), &st));
		EXPECT_EQ(TESTFILE_SIZE, st.st_size);
		expect_coherent_write(_metadata, tf, MS, "store", 10, ranges[i].off + 100);
		tf->cases++;
	}
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_FALLOCATE));
	expect_engaged(_metadata, tf);
}

/* C13: MADV_DONTFORK keeps a mapping from a child; the child's own is as good. */
TEST_F(memory, mapping_kept_from_a_child_is_still_the_file)
{
	struct testfile *tf = self->tf;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0, testfile_open(tf, OTHER, VIEW_BIT(MS) | VIEW_BIT(F1)));
	expect_coherent_write(_metadata, tf, MS, "store", page(), page() / 2);
	ASSERT_EQ(0, madvise(shared(tf)->map, TESTFILE_ROOM, MADV_DONTFORK));
	/* Wiping on fork is for private memory only, madvise(2). */
	EXPECT_EQ(-1, madvise(shared(tf)->map, TESTFILE_ROOM, MADV_WIPEONFORK));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, testfile_fork(tf));
	testfile_close(tf, CHILD, MR);
	memset(&tf->actors[CHILD].views[MS], 0, sizeof(struct view));
	ASSERT_EQ(100, testfile_write(tf, CHILD, F1, action_find("pwrite"), 100, page()));
	EXPECT_EQ(0U, testfile_check_all(tf));
	expect_coherent_write(_metadata, tf, MS, "store", page(), page() / 2);
	tf->cases++;
	expect_engaged(_metadata, tf);
}

/* --- C13: huge pages ------------------------------------------------------------- */

/* Two huge pages of most architectures; the mapping is aligned to one. */
#define HUGE_PAGE	(2UL * 1024 * 1024)
#define HUGE_FILE	(2 * HUGE_PAGE)

struct huge {
	struct report_case *report;
	struct oracle oracle;
	int fd, backing;
	char *map;
	unsigned char *buf;	/* HUGE_FILE bytes */
};

static bool huge_agrees(struct huge *h, const char *view, const unsigned char *seen)
{
	const struct view_spec spec = { .name = view };
	struct oracle_mismatch m;

	if (!oracle_compare(&h->oracle, seen, HUGE_FILE, 0, &m))
		return true;
	report_mismatch(h->report, "self", &spec, "read", &m);
	return false;
}

static bool all_agree(struct huge *h)
{
	bool agree = huge_agrees(h, "MS", (unsigned char *)h->map);

	agree &= pread(h->fd, h->buf, HUGE_FILE, 0) == HUGE_FILE && huge_agrees(h, "F1", h->buf);
	agree &= pread(h->backing, h->buf, HUGE_FILE, 0) == HUGE_FILE &&
		 huge_agrees(h, "B", h->buf);
	return agree;
}

static void huge_write(struct __test_metadata *_metadata, struct huge *h, bool store, size_t len,
		       off_t off)
{
	ssize_t ret;

	oracle_payload(&h->oracle, h->buf, len, off);
	if (store)
		ret = fault_copy(h->map + off, h->buf, len, NULL) ?: (ssize_t)len;
	else
		ret = pwrite(h->fd, h->buf, len, off);
	ASSERT_EQ((ssize_t)len, ret);
	oracle_wrote(&h->oracle, "self", store ? "MS" : "F1", store ? "store" : "pwrite", len, off);
}

static void open_huge(struct __test_metadata *_metadata, struct huge *h, const struct sandbox *sb)
{
	char path[PATH_MAX], *room;

	snprintf(path, sizeof(path), "%.4000s/huge", sb->backing);
	h->backing = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, h->backing);
	ASSERT_EQ(0, ftruncate(h->backing, HUGE_FILE));
	snprintf(path, sizeof(path), "%.4000s/huge", sb->mnt);
	h->fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, h->fd);
	ASSERT_EQ(0, oracle_init(&h->oracle, HUGE_FILE));
	h->buf = malloc(HUGE_FILE);
	ASSERT_NE(NULL, h->buf);
	/* A huge page is mapped as one only where address and offset agree. */
	room = mmap(NULL, HUGE_FILE + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, room);
	h->map = room + HUGE_PAGE - (uintptr_t)room % HUGE_PAGE;
	h->map = mmap(h->map, HUGE_FILE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, h->fd, 0);
	ASSERT_NE(MAP_FAILED, h->map);
}

/* C13: whether the kernel collapses the pages of this file system or declines. */
TEST_F(memory, huge_pages_hold_the_same_bytes)
{
	struct huge h = { .report = &self->tf->report };
	int err;

	open_huge(_metadata, &h, &self->sb);
	huge_write(_metadata, &h, false, HUGE_FILE, 0);
	huge_write(_metadata, &h, true, HUGE_PAGE, HUGE_PAGE / 2);
	madvise(h.map, HUGE_FILE, MADV_HUGEPAGE);
	err = madvise(h.map, HUGE_FILE, MADV_COLLAPSE) ? errno : 0;
	if (err)
		report_line("pages of %s are not collapsed: %s", variant->fs, strerror(err));
	EXPECT_TRUE(all_agree(&h));
	huge_write(_metadata, &h, true, 9000, HUGE_PAGE - 4500);
	huge_write(_metadata, &h, false, 9000, HUGE_PAGE - 100);
	EXPECT_TRUE(all_agree(&h));
	/* A hole splits them again. */
	ASSERT_EQ(0, madvise(h.map + HUGE_PAGE / 2, HUGE_PAGE, MADV_REMOVE));
	oracle_hole(&h.oracle, HUGE_PAGE, HUGE_PAGE / 2);
	EXPECT_TRUE(all_agree(&h));
	huge_write(_metadata, &h, true, 9000, HUGE_PAGE - 200);
	EXPECT_EQ(0, msync(h.map, HUGE_FILE, MS_SYNC));
	EXPECT_TRUE(all_agree(&h));
	self->tf->cases++;
	expect_engaged(_metadata, self->tf);
	oracle_free(&h.oracle);
	free(h.buf);
	close(h.fd);
	close(h.backing);
}

/* --- C13: pages that come and go under stores ------------------------------------ */

#define PRESSED_PAGES	256
#define PRESSED_ROUNDS	4

struct pressed {
	struct report_case *report;
	int fd, backing;
	uint64_t *map;		/* through FUSE; of each page the first word counts */
	size_t words;		/* in a page */
	atomic_bool stop;
	atomic_ulong sweeps;	/* of the reclaimer */
};

/*
 * Reclaim without a shortage of memory: every page is unmapped, written out and
 * dropped, by its address and by its file, again and again.
 */
static void *reclaim(void *arg)
{
	struct pressed *p = arg;
	const size_t len = PRESSED_PAGES * page();

	while (!atomic_load(&p->stop)) {
		madvise(p->map, len, MADV_PAGEOUT);
		sync_file_range(p->backing, 0, len, SYNC_FILE_RANGE_WRITE);
		posix_fadvise(p->backing, 0, 0, POSIX_FADV_DONTNEED);
		madvise(p->map, len, MADV_COLD);
		atomic_fetch_add(&p->sweeps, 1);
	}
	return NULL;
}

static void expect_word(struct __test_metadata *_metadata, const struct pressed *p, const char *how,
			size_t at, uint64_t want, uint64_t seen)
{
	ASSERT_EQ(want, seen) {
		report_line("STALE under reclaim: %s of page %zu sees %llu, written was %llu", how,
			    at, (unsigned long long)seen, (unsigned long long)want);
		report_rerun(p->report);
	}
}

/* By turns stored and written, loaded and read, each time the other way than before. */
static void press_page(struct __test_metadata *_metadata, struct pressed *p, size_t at,
		       uint64_t value)
{
	volatile uint64_t *word = p->map + at * p->words;
	const off_t off = at * page();
	uint64_t seen;

	if ((at + value) % 2)
		*word = value;
	else
		ASSERT_EQ((ssize_t)sizeof(value), pwrite(p->fd, &value, sizeof(value), off));
	expect_word(_metadata, p, "a load", at, value, *word);
	ASSERT_EQ((ssize_t)sizeof(seen), pread(p->fd, &seen, sizeof(seen), off));
	expect_word(_metadata, p, "pread", at, value, seen);
}

static void check_pages(struct __test_metadata *_metadata, struct pressed *p, uint64_t value)
{
	uint64_t seen;
	size_t at;

	for (at = 0; at < PRESSED_PAGES; at++) {
		expect_word(_metadata, p, "a later load", at, value, p->map[at * p->words]);
		ASSERT_EQ((ssize_t)sizeof(seen),
			  pread(p->backing, &seen, sizeof(seen), at * page()));
		expect_word(_metadata, p, "pread of the backing file", at, value, seen);
	}
}

/* C13: nothing that was stored gets lost on the way out and in again. */
TEST_F(memory, reclaimed_pages_come_back_as_they_were)
{
	struct pressed p = { .report = &self->tf->report, .words = page() / sizeof(uint64_t) };
	char path[PATH_MAX];
	pthread_t thread;
	uint64_t value;
	size_t at;

	snprintf(path, sizeof(path), "%.4000s/pressed", self->sb.backing);
	p.backing = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, p.backing);
	ASSERT_EQ(0, ftruncate(p.backing, PRESSED_PAGES * page()));
	snprintf(path, sizeof(path), "%.4000s/pressed", self->sb.mnt);
	p.fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, p.fd);
	p.map = mmap(NULL, PRESSED_PAGES * page(), PROT_READ | PROT_WRITE, MAP_SHARED, p.fd, 0);
	ASSERT_NE(MAP_FAILED, p.map);
	ASSERT_EQ(0, pthread_create(&thread, NULL, reclaim, &p));
	/* At least a sweep while each round is under way. */
	for (value = 1;
	     value <= PRESSED_ROUNDS || atomic_load(&p.sweeps) < PRESSED_ROUNDS; value++) {
		for (at = 0; at < PRESSED_PAGES; at++)
			press_page(_metadata, &p, at, value);
		check_pages(_metadata, &p, value);
	}
	atomic_store(&p.stop, true);
	pthread_join(thread, NULL);
	check_pages(_metadata, &p, value - 1);
	self->tf->cases++;
	expect_engaged(_metadata, self->tf);
	munmap(p.map, PRESSED_PAGES * page());
	close(p.fd);
	close(p.backing);
}

SUITE_MAIN()
