// SPDX-License-Identifier: GPL-2.0
/*
 * Notifications about a file opened in passthrough mode: INVAL_INODE, STORE and
 * RETRIEVE act on the page cache of FUSE, which nobody reads through. They must
 * neither disturb a mapping of the backing file nor put bytes between it and
 * its readers.
 *
 * The C ids in the comments are rows of the catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "suite_file.h"

SUITE_FILE_FIXTURE(notify, NULL);

/* --- what the server tells: 0 or -errno ------------------------------------------ */

static int inval_attributes(struct server *srv)
{
	return server_notify_inval(srv, "file", -1, 0);
}

static int inval_all(struct server *srv)
{
	return server_notify_inval(srv, "file", 0, 0);
}

static int inval_pages(struct server *srv)
{
	return server_notify_inval(srv, "file", page(), 3 * page());
}

/* Bytes that are not in the file, nor of any payload. */
static int store_bytes(struct server *srv, size_t len, off_t off)
{
	char bytes[9000];

	memset(bytes, 0xff, sizeof(bytes));
	return server_notify_store(srv, "file", off, bytes, len);
}

static int store_in_page(struct server *srv)
{
	return store_bytes(srv, 64, 100);
}

static int store_over_pages(struct server *srv)
{
	return store_bytes(srv, 9000, page() / 2);
}

static int store_in_hole(struct server *srv)
{
	return store_bytes(srv, 64, 3 * page() + 50);
}

static int store_past_eof(struct server *srv)
{
	return store_bytes(srv, 300, TESTFILE_SIZE + 100);
}

static int retrieve(struct server *srv)
{
	return server_notify_retrieve(srv, "file", 0, 4 * page());
}

static int store_and_retrieve(struct server *srv)
{
	return store_in_page(srv) ?: retrieve(srv);
}

static int store_and_inval(struct server *srv)
{
	return store_over_pages(srv) ?: inval_all(srv);
}

static const struct notice {
	const char *name;
	int (*tell)(struct server *srv);
} notices[] = {
	{ "inval-attributes",	inval_attributes },
	{ "inval-all",		inval_all },
	{ "inval-pages",	inval_pages },
	{ "store-in-page",	store_in_page },
	{ "store-over-pages",	store_over_pages },
	{ "store-in-hole",	store_in_hole },
	{ "store-past-eof",	store_past_eof },
	{ "retrieve",		retrieve },
	{ "store-and-retrieve",	store_and_retrieve },
	{ "store-and-inval",	store_and_inval },
};

static const char *const states[] = { "untouched", "clean", "dirty" };
enum { UNTOUCHED, CLEAN, DIRTY };

static void expect_coherent_write(struct __test_metadata *_metadata, struct testfile *tf,
				  enum view_id through, const char *action, size_t len, off_t off)
{
	ASSERT_EQ((ssize_t)len,
		  testfile_write(tf, SELF, through, action_find(action), len, off));
	EXPECT_EQ(0U, testfile_check_all(tf)) {
		TH_LOG("after %s, case %s", action, tf->report.name);
	}
}

static void notify_once(struct __test_metadata *_metadata, struct testfile *tf,
			const struct notice *n, int state)
{
	struct server *srv = tf->report.sb->server;
	struct stat st;
	int ret;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	if (state == DIRTY)
		expect_coherent_write(_metadata, tf, MS, "store", 4 * page(), 10);
	if (state == CLEAN)
		ASSERT_EQ(0U, testfile_check_all(tf));
	ret = n->tell(srv);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: %s", n->name, strerror(-ret));
	}
	EXPECT_EQ(0U, testfile_check_all(tf)) {
		TH_LOG("after %s", tf->report.name);
	}
	expect_coherent_write(_metadata, tf, F1, "pwrite", 200, page() - 100);
	expect_coherent_write(_metadata, tf, MS, "store", 200, 2 * page() - 100);
	expect_coherent_write(_metadata, tf, B, "pwrite", 64, 3 * page() + 60);
	EXPECT_EQ(0, fstat(fd_of(tf, B), &st));
	EXPECT_EQ(TESTFILE_SIZE, st.st_size);
	testfile_remove(tf);
	tf->cases++;
}

/* C14 */
TEST_F(notify, notifications_change_no_byte)
{
	struct testfile *tf = self->tf;
	size_t i;
	int state;

	for (i = 0; i < ARRAY_SIZE(notices); i++)
		for (state = UNTOUCHED; state <= DIRTY; state++)
			if (report_select(&tf->report, "%s,%s", notices[i].name, states[state]))
				notify_once(_metadata, tf, &notices[i], state);
	tf->report.name[0] = '\0';
	expect_engaged(_metadata, tf);
}

/* C14: what was stored is gone when a cached open begins; it never was in the file. */
TEST_F(notify, stored_bytes_do_not_wait_for_a_cached_open)
{
	struct testfile *tf = self->tf;
	struct server *srv = self->sb.server;

	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(MS)));
	ASSERT_EQ(0, store_over_pages(srv));
	EXPECT_EQ(0U, testfile_check_all(tf));
	testfile_close(tf, SELF, MS);
	testfile_close(tf, SELF, F1);
	tf->cases++;
	expect_engaged(_metadata, tf);

	server_set_mode(srv, SERVER_CACHED);
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F2) | VIEW_BIT(MR)));
	EXPECT_EQ(0U, testfile_check_all(tf));
}

/*
 * C14, the control: in cached mode stored bytes are what is read. Notifications
 * that never arrive would change no byte either.
 */
TEST_F(notify, stored_bytes_are_read_in_cached_mode)
{
	struct testfile *tf = self->tf;
	struct server *srv = self->sb.server;

	server_set_mode(srv, suite_mode(SERVER_CACHED));
	tf->quiet = true;
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1) | VIEW_BIT(MS)));
	ASSERT_EQ(0U, testfile_check_all(tf));
	ASSERT_EQ(0, store_in_page(srv));
	EXPECT_LT(0U, testfile_check(tf, 64, 100)) {
		TH_LOG("bytes stored by a notification are not seen: it did not arrive");
	}
	ASSERT_EQ(0, retrieve(srv));
	EXPECT_EQ(0, server_wait_requests(srv, FUSE_NOTIFY_REPLY, 1));
}

SUITE_MAIN()
