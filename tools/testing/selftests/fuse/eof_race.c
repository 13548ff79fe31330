// SPDX-License-Identifier: GPL-2.0
/*
 * Truncation and hole punching beside running stores, loads, reads and writes,
 * through FUSE in passthrough mode and on the backing file.
 *
 * Nothing may hang, and what anybody ever reads must have been written there:
 * each aligned word is a tag that names its own place, or zero where it was cut.
 * At rest all views agree again. There is no order to expect otherwise.
 *
 * The E ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "fault.h"
#include "suite.h"

/* Rounds of the thread that cuts; the others go on until it has done. */
#define ROUNDS		150
#define PAGES		16

/* A tag is made of its word's offset and a number that counts the writes. */
#define TAG_OFFSET_BITS	24
#define TAG_MARK	(0xa5ULL << 56)

struct race {
	struct report_case report;
	char path[PATH_MAX], backing[PATH_MAX];
	int fd, direct, beside;		/* two through FUSE, one on the backing file */
	char *map, *map_beside;		/* shared mappings of the same two sides */
	size_t len;
	atomic_bool done;
	atomic_ulong written, read, faults, cuts;
	atomic_ulong strange;		/* words that nobody can have written */
	atomic_ullong first_strange, first_strange_at;
};

FIXTURE(eof_race)
{
	struct sandbox sb;
	struct race *r;
};

BACKING_VARIANTS(eof_race);

FIXTURE_SETUP(eof_race)
{
	struct race *r;

	r = calloc(1, sizeof(*r));
	self->r = r;
	ASSERT_NE(NULL, r);
	r->fd = -1;
	r->direct = -1;
	r->beside = -1;
	r->map = MAP_FAILED;
	r->map_beside = MAP_FAILED;
	r->len = PAGES * sysconf(_SC_PAGESIZE);
	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = {
			.mode = SERVER_PASSTHROUGH,
			.attr_timeout = LONG_TIMEOUT,
			.entry_timeout = LONG_TIMEOUT,
		},
	}));
	r->report = suite_case(_metadata, variant->fs, &self->sb);
	snprintf(r->path, sizeof(r->path), "%.4000s/file", self->sb.mnt);
	snprintf(r->backing, sizeof(r->backing), "%.4000s/file", self->sb.backing);
	r->beside = open(r->backing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ASSERT_LE(0, r->beside);
	ASSERT_EQ(0, ftruncate(r->beside, r->len));
	r->fd = open(r->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, r->fd);
	/* Where the backing file system has no direct io, one more buffered descriptor. */
	r->direct = open(r->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (r->direct < 0)
		r->direct = open(r->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, r->direct);
	r->map = mmap(NULL, r->len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	ASSERT_NE(MAP_FAILED, r->map);
	r->map_beside = mmap(NULL, r->len, PROT_READ | PROT_WRITE, MAP_SHARED, r->beside, 0);
	ASSERT_NE(MAP_FAILED, r->map_beside);
}

FIXTURE_TEARDOWN(eof_race)
{
	struct race *r = self->r;

	if (r->map != MAP_FAILED)
		munmap(r->map, r->len);
	if (r->map_beside != MAP_FAILED)
		munmap(r->map_beside, r->len);
	close(r->fd);
	close(r->direct);
	close(r->beside);
	sandbox_destroy(&self->sb);
	free(r);
}

/* --- words --------------------------------------------------------------------- */

static uint64_t tag(off_t off, unsigned long count)
{
	return TAG_MARK | (count & 0xffffffffULL) << TAG_OFFSET_BITS | off;
}

/* Deliberate fault: one word in a thousand is taken for another's. */
static uint64_t fault_word(off_t off)
{
	const char *fault = getenv("FUSE_TEST_FAULT");

	return fault && !strcmp(fault, "words") && off % 1000 < 8 ? 8 : 0;
}

/* The bytes of a tag that do not depend on the count. */
#define FIXED_BITS	(0xffULL << 56 | ((1ULL << TAG_OFFSET_BITS) - 1))

/*
 * The kernel cuts byte by byte where string instructions are emulated, so a byte
 * may be gone that its neighbour still has: each counts by itself.
 */
static void look_at(struct race *r, uint64_t word, off_t off)
{
	uint64_t want = tag(off ^ fault_word(off), 0);
	uint64_t byte;

	for (byte = 0xff; byte; byte <<= 8) {
		if (!(word & byte) || !(byte & FIXED_BITS) || (word & byte) == (want & byte))
			continue;
		if (!atomic_fetch_add(&r->strange, 1)) {
			r->first_strange = word;
			r->first_strange_at = off;
		}
		return;
	}
}

static void look_at_words(struct race *r, const char *buf, ssize_t len, off_t off)
{
	uint64_t word;
	ssize_t i;

	for (i = 0; i + (ssize_t)sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, buf + i, sizeof(word));
		look_at(r, word, off + i);
	}
	r->read++;
}

static void fill(char *buf, size_t len, off_t off, unsigned long count)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < len; i += sizeof(word)) {
		word = tag(off + i, count);
		memcpy(buf + i, &word, sizeof(word));
	}
}

/* A run of words somewhere, over a page boundary as often as not. */
static off_t place(const struct race *r, unsigned long n, size_t len)
{
	return n * 1016 % (r->len - len) & ~7UL;
}

/* --- who takes part --------------------------------------------------------------- */

static void *store_and_load(void *arg)
{
	struct race *r = arg;
	unsigned long n;
	uint64_t word;
	char *map;
	off_t off;

	for (n = 1; !r->done; n++) {
		map = n & 1 ? r->map : r->map_beside;
		off = place(r, n, sizeof(word));
		word = tag(off, n);
		if (fault_copy(map + off, &word, sizeof(word), NULL))
			r->faults++;
		else
			r->written++;
		off = place(r, n * 7, sizeof(word));
		if (fault_copy(&word, map + off, sizeof(word), NULL))
			r->faults++;
		else
			look_at_words(r, (char *)&word, sizeof(word), off);
	}
	return NULL;
}

static void *read_and_write(void *arg)
{
	static __thread char buf[1200];
	struct race *r = arg;
	unsigned long n;
	ssize_t ret;
	off_t off;
	int fd;

	for (n = 1; !r->done; n++) {
		fd = n % 3 ? r->fd : r->beside;
		off = place(r, n * 3, sizeof(buf));
		ret = pread(fd, buf, sizeof(buf), off);
		if (ret > 0)
			look_at_words(r, buf, ret, off);
		off = place(r, n * 5, sizeof(buf));
		fill(buf, sizeof(buf), off, n);
		if (pwrite(fd, buf, sizeof(buf), off) > 0)
			r->written++;
	}
	return NULL;
}

static void *read_and_write_directly(void *arg)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct race *r = arg;
	unsigned long n;
	void *buf;
	ssize_t ret;
	off_t off;

	if (posix_memalign(&buf, page, page))
		return NULL;
	for (n = 1; !r->done; n++) {
		off = n * 3 % PAGES * page;
		ret = pread(r->direct, buf, page, off);
		if (ret > 0)
			look_at_words(r, buf, ret, off);
		off = n * 5 % PAGES * page;
		fill(buf, page, off, n);
		if (pwrite(r->direct, buf, page, off) > 0)
			r->written++;
	}
	free(buf);
	return NULL;
}

static bool cut_by_truncate(struct race *r, unsigned long n)
{
	int fd = n & 1 ? r->fd : r->beside;

	return !ftruncate(fd, place(r, n * 11, 8)) && !ftruncate(fd, r->len);
}

static bool cut_by_punch(struct race *r, unsigned long n)
{
	int fd = n & 1 ? r->fd : r->beside;

	/* Edges on word boundaries: a zero word is one that nobody wrote. */
	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place(r, n * 11, 9000),
			  8 * (1 + n % 1000));
}

/* --- the race ------------------------------------------------------------------------ */

typedef bool (*cut_fn)(struct race *r, unsigned long n);

static void run(struct __test_metadata *_metadata, struct race *r, cut_fn cut)
{
	void *(*const parts[])(void *) = {
		store_and_load, store_and_load, read_and_write, read_and_write_directly,
	};
	pthread_t threads[ARRAY_SIZE(parts)];
	bool cuts = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, parts[i], r));
	/* Until everybody had a turn, and not less than so many rounds. */
	while (cuts && (r->cuts < ROUNDS || !r->read || !r->written)) {
		cuts = cut(r, r->cuts);
		r->cuts++;
	}
	EXPECT_TRUE(cuts) {
		TH_LOG("cut: %s", strerror(errno));
	}
	r->done = true;
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		pthread_join(threads[i], NULL);
}

static void expect_explained(struct __test_metadata *_metadata, struct race *r)
{
	EXPECT_EQ(0UL, atomic_load(&r->strange)) {
		report_line("STRANGE: %lu words that nobody wrote; first %#llx at offset %lld",
			    (unsigned long)r->strange, (unsigned long long)r->first_strange,
			    (long long)r->first_strange_at);
		report_line("  a word there is 0 or %#llx with a count in the middle",
			    (unsigned long long)tag(r->first_strange_at, 0));
		report_rerun(&r->report);
	}
}

/* At rest every view shows the same bytes, each of them a word somebody wrote or zero. */
static void expect_agreement(struct __test_metadata *_metadata, struct race *r)
{
	char *by_read, *by_fuse;

	ASSERT_EQ(0, ftruncate(r->fd, r->len));
	by_read = calloc(2, r->len);
	ASSERT_NE(NULL, by_read);
	by_fuse = by_read + r->len;
	EXPECT_EQ((ssize_t)r->len, pread(r->beside, by_read, r->len, 0));
	EXPECT_EQ((ssize_t)r->len, pread(r->fd, by_fuse, r->len, 0));
	EXPECT_EQ(0, memcmp(by_read, by_fuse, r->len));
	EXPECT_EQ(0, memcmp(by_read, r->map, r->len));
	EXPECT_EQ(0, memcmp(by_read, r->map_beside, r->len));
	look_at_words(r, by_read, r->len, 0);
	free(by_read);
	EXPECT_EQ(0U, server_requests(r->report.sb->server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(r->report.sb->server, FUSE_WRITE));
}

/* E7 */
TEST_F(eof_race, truncation_races_with_everything)
{
	run(_metadata, self->r, cut_by_truncate);
	expect_agreement(_metadata, self->r);
	expect_explained(_metadata, self->r);
}

/* E7 */
TEST_F(eof_race, punching_races_with_everything)
{
	run(_metadata, self->r, cut_by_punch);
	expect_agreement(_metadata, self->r);
	expect_explained(_metadata, self->r);
	EXPECT_EQ(0UL, atomic_load(&self->r->faults)) {
		TH_LOG("punching a hole made %lu accesses inside the file fault",
		       (unsigned long)self->r->faults);
	}
}

SUITE_MAIN_RACING()
