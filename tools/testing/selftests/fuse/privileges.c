// SPDX-License-Identifier: GPL-2.0
/*
 * Privileges around a file opened in passthrough mode.
 *
 * The backing file is opened and used with the credentials of who registered it;
 * the permissions of FUSE decide who may use the file at all. So an unprivileged
 * user gets exactly what FUSE grants, no more and no less, and is himself again
 * after every call. The P ids in the comments are rows of the catalogue of
 * properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "abi.h"
#include "suite.h"
#include "testfile.h"

#define NOBODY		65534
/* A user without any right of his own; the same process in every test. */
#define USER		OTHER
#define USER_VIEWS	(VIEW_BIT(F1) | VIEW_BIT(MS) | VIEW_BIT(MR))

FIXTURE(privileges)
{
	struct sandbox sb;
	struct testfile *tf;
};

BACKING_VARIANTS(privileges);

static const struct server_options for_users = {
	.mode = SERVER_PASSTHROUGH,
	.attr_timeout = LONG_TIMEOUT,
	.entry_timeout = LONG_TIMEOUT,
	.mount_options = "allow_other,default_permissions",
};

static ssize_t become_nobody(struct actor *a, void *arg)
{
	(void)a;
	(void)arg;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	/* A change of identity closes /proc/self/mem, which is one way to store. */
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

FIXTURE_SETUP(privileges)
{
	struct report_case report;

	SUITE_SANDBOX(&self->sb, ((struct sandbox_options) {
		.fs = variant->fs,
		.server = for_users,
	}));
	report = suite_case(_metadata, variant->fs, &self->sb);
	self->tf = testfile_new(&report);
	ASSERT_NE(NULL, self->tf);
	ASSERT_EQ(0, actor_call(&self->tf->actors[USER], become_nobody, NULL));
}

FIXTURE_TEARDOWN(privileges)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

/* A file of root with @mode, in a backing directory that nobody else may enter. */
static void make_file(struct __test_metadata *_metadata, struct testfile *tf, mode_t mode)
{
	ASSERT_EQ(0, testfile_create(tf, "file"));
	ASSERT_EQ(0, chmod(tf->backing, mode));
}

/* --- P1, P3: a user has what FUSE grants ------------------------------------- */

static ssize_t open_backing(struct actor *a, void *arg)
{
	struct testfile *tf = arg;
	int fd = open(tf->backing, O_RDONLY | O_CLOEXEC);

	(void)a;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* P1: the mode that FUSE shows decides, not that somebody could open the backing file. */
TEST_F(privileges, fuse_permissions_gate_the_user)
{
	struct testfile *tf = self->tf;

	make_file(_metadata, tf, 0600);
	EXPECT_EQ(-EACCES, testfile_open(tf, USER, VIEW_BIT(F1)));
	testfile_remove(tf);

	make_file(_metadata, tf, 0644);
	EXPECT_EQ(-EACCES, testfile_open(tf, USER, VIEW_BIT(F1)));
	EXPECT_EQ(0, testfile_open(tf, USER, VIEW_BIT(MR)));
	EXPECT_EQ(0U, testfile_check_all(tf));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
}

/*
 * P1, P3: everything a user does through FUSE works on a file that he could not
 * reach by himself, and is as coherent as root's own doings.
 */
TEST_F(privileges, user_works_with_the_registrants_rights)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct testfile *tf = self->tf;
	const struct action *action;
	enum view_id view;

	make_file(_metadata, tf, 0666);
	ASSERT_EQ(0, chmod(self->sb.backing, 0711));
	ASSERT_EQ(0, testfile_open(tf, SELF, tf->views));
	ASSERT_EQ(0, testfile_open(tf, USER, USER_VIEWS));
	/* From here on the file is root's alone, for whoever opens it anew. */
	ASSERT_EQ(0, chmod(tf->backing, 0600));
	ASSERT_EQ(-EACCES, actor_call(&tf->actors[USER], open_backing, tf));

	for (action = actions; action->name; action++) {
		if (action->kind != ACTION_WRITE || action_missing(action))
			continue;
		for (view = F1; view <= MS; view++) {
			if (!(USER_VIEWS & VIEW_BIT(view)) ||
			    !action_fits(action, &view_specs[view], page, 300, tf->oracle.size))
				continue;
			ASSERT_EQ(300, testfile_write(tf, USER, view, action, 300, page)) {
				TH_LOG("%s through %s", action->name, view_specs[view].name);
			}
			ASSERT_EQ(0U, testfile_check(tf, 500, page - 100));
		}
	}
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_WRITE));
}

/* P1: credentials that a call borrows are given back: nothing else opens for the user. */
TEST_F(privileges, user_is_himself_after_every_call)
{
	struct testfile *tf = self->tf;
	const struct action *action;
	enum view_id view;
	char buf[64];

	make_file(_metadata, tf, 0666);
	ASSERT_EQ(0, testfile_open(tf, USER, USER_VIEWS));
	ASSERT_EQ(0, chmod(tf->backing, 0600));

	for (action = actions; action->name; action++) {
		for (view = F1; view <= MR; view++) {
			if (!(USER_VIEWS & VIEW_BIT(view)) || action_missing(action) ||
			    !action_fits(action, &view_specs[view], 0, sizeof(buf),
					 tf->oracle.size))
				continue;
			memset(buf, 'u', sizeof(buf));
			testfile_act(tf, USER, view, action, buf, sizeof(buf), 0);
			ASSERT_EQ(-EACCES, actor_call(&tf->actors[USER], open_backing, tf)) {
				TH_LOG("after %s through %s the user opens what is root's",
				       action->name, view_specs[view].name);
			}
		}
	}
}

/* Leave no block of the backing file system but those reserved for root: 0 or -errno. */
static int take_unreserved_blocks(const struct sandbox *sb, struct statvfs *st)
{
	char path[PATH_MAX + 8];
	int fd, err = 0;

	if (statvfs(sb->backing, st))
		return -errno;
	snprintf(path, sizeof(path), "%s/filler", sb->backing);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (st->f_bavail && fallocate(fd, 0, 0, (off_t)st->f_bavail * st->f_frsize))
		err = -errno;
	close(fd);
	return err;
}

/*
 * P1: bytes are written with the registrant's credentials, so a user's write may take
 * blocks that are reserved for root (ext4(5), resuid). His own would not.
 */
TEST_F(privileges, write_takes_blocks_reserved_for_the_registrant)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct testfile *tf = self->tf;
	const struct action *action;
	struct statvfs st;
	char buf[64];
	off_t at;

	ASSERT_EQ(0, statvfs(self->sb.backing, &st));
	if (st.f_bfree == st.f_bavail || strcmp(variant->fs, "ext4"))
		SKIP(return, "%s reserves no blocks for root", variant->fs);
	make_file(_metadata, tf, 0666);
	ASSERT_EQ(0, testfile_open(tf, USER, VIEW_BIT(F1)));
	ASSERT_EQ(0, take_unreserved_blocks(&self->sb, &st));
	memset(buf, 'r', sizeof(buf));

	at = (tf->oracle.size / page + 1) * page;
	for (action = actions; action->name; action++) {
		if (action->kind != ACTION_WRITE || action_missing(action) ||
		    !action_fits(action, &view_specs[F1], at, sizeof(buf), tf->oracle.size))
			continue;
		EXPECT_EQ((ssize_t)sizeof(buf),
			  testfile_act(tf, USER, F1, action, buf, sizeof(buf), at)) {
			TH_LOG("%s", action->name);
		}
		at += page;
	}
}

/* --- P2: what a write takes away ------------------------------------------------ */

#define CAPABILITY	"security.capability"

/* cap_net_raw=ep, in the layout of <linux/capability.h>, revision 2 */
static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 0x20 };

static ssize_t truncate_file(struct actor *a, void *arg)
{
	(void)arg;
	return ftruncate(a->views[F1].fd, 100) ? -errno : 0;
}

static const struct change {
	const char *action;	/* NULL: ftruncate(2) */
	enum view_id view;
	bool drops;
} changes[] = {
	{ "pwrite",		F1,	true },
	{ "write",		F1,	true },
	{ "splice-write",	F1,	true },
	{ "aio-write",		F1,	true },
	{ "uring-write",	F1,	true },
	{ NULL,			F1,	true },
	{ "store",		MS,	false },
};

/* 0 if @c was done in full. */
static int carry_out(struct testfile *tf, const struct change *c)
{
	if (!c->action)
		return actor_call(&tf->actors[USER], truncate_file, NULL);
	return testfile_write(tf, USER, c->view, action_find(c->action), 64, 10) == 64 ? 0 : -EIO;
}

static mode_t mode_of(const struct testfile *tf)
{
	struct stat st;

	return stat(tf->backing, &st) ? 0 : st.st_mode & 07777;
}

/*
 * Do set-user-ID, set-group-ID and file capabilities go where @c says they must?
 * As on a plain file: write(2) by one without CAP_FSETID clears them, a mapped
 * store does not.
 */
static bool privileges_dropped_rightly(struct __test_metadata *_metadata, struct testfile *tf,
				       const struct change *c)
{
	bool has_capability, right;
	mode_t mode;

	make_file(_metadata, tf, 06777);
	if (setxattr(tf->backing, CAPABILITY, capability, sizeof(capability), 0))
		ASSERT_EQ(EOPNOTSUPP, errno);
	has_capability = getxattr(tf->backing, CAPABILITY, NULL, 0) > 0;
	ASSERT_EQ(06777U, mode_of(tf));
	ASSERT_EQ(0, testfile_open(tf, USER, VIEW_BIT(F1) | VIEW_BIT(MS)));
	ASSERT_EQ(0, carry_out(tf, c)) {
		TH_LOG("%s", c->action ?: "ftruncate");
	}
	mode = mode_of(tf);
	right = mode == (c->drops ? 0777 : 06777);
	if (has_capability)
		right &= (getxattr(tf->backing, CAPABILITY, NULL, 0) > 0) == !c->drops;
	if (!right && !tf->quiet)
		report_line("after %s by a user the mode is %04o, file capability %s",
			    c->action ?: "ftruncate", mode,
			    getxattr(tf->backing, CAPABILITY, NULL, 0) > 0 ? "kept" : "gone");
	testfile_remove(tf);
	return right;
}

/* @by_server: truncation is asked of the server, so what it takes away is its affair. */
static bool all_dropped_rightly(struct __test_metadata *_metadata, struct testfile *tf,
				bool by_server)
{
	const struct action *action;
	bool right = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		if (by_server && !changes[i].action)
			continue;
		action = changes[i].action ? action_find(changes[i].action) : NULL;
		if (action && action_missing(action))
			report_line("SKIP %s: %s", action->name, action_missing(action));
		else if (report_select(&tf->report, "%s", changes[i].action ?: "ftruncate"))
			right &= privileges_dropped_rightly(_metadata, tf, &changes[i]);
	}
	return right;
}

/* P2 */
TEST_F(privileges, write_drops_set_id_and_capabilities)
{
	EXPECT_TRUE(all_dropped_rightly(_metadata, self->tf, false));
}

/* P2: who cannot take them away does not write. */
TEST_F(privileges, write_that_cannot_drop_set_id_is_refused)
{
	static const char *const ways[] = { "pwrite", "splice-write", "aio-write" };
	struct testfile *tf = self->tf;
	const struct action *action;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		action = action_find(ways[i]);
		if (action_missing(action) || !report_select(&tf->report, "%s", ways[i]))
			continue;
		make_file(_metadata, tf, 06777);
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(B) | VIEW_BIT(MB)));
		ASSERT_EQ(0, testfile_open(tf, USER, VIEW_BIT(F1) | VIEW_BIT(MS)));
		server_fail(self->sb.server, FUSE_SETATTR, EIO, 1);
		EXPECT_EQ(-EIO, testfile_write(tf, USER, F1, action, 64, 10)) {
			TH_LOG("%s, though set-user-ID stays", ways[i]);
		}
		EXPECT_EQ(06777U, mode_of(tf));
		EXPECT_EQ(0U, testfile_check_all(tf));
		EXPECT_EQ(64, testfile_write(tf, USER, F1, action, 64, 10));
		EXPECT_EQ(0777U, mode_of(tf));
		EXPECT_EQ(0U, testfile_check_all(tf));
		testfile_remove(tf);
	}
}

/* Give CAP_FSETID up or take it back, for this thread. 0 or -errno. */
static int set_fsetid(bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	const uint32_t bit = CAP_TO_MASK(CAP_FSETID);

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[CAP_TO_INDEX(CAP_FSETID)].effective &= ~bit;
	data[CAP_TO_INDEX(CAP_FSETID)].effective |= on ? bit : 0;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* Register the backing file as one who may not keep set-user-ID: id or -errno. */
static int32_t register_without_fsetid(const struct testfile *tf)
{
	int fd = open(tf->backing, O_RDONLY | O_CLOEXEC);
	int32_t id;
	int ret;

	if (fd < 0)
		return -errno;
	ret = set_fsetid(false);
	id = ret ?: server_backing_open(tf->report.sb->server, fd);
	ret = ret ?: set_fsetid(true);
	close(fd);
	return ret ?: id;
}

/*
 * P2: the registrant's rights bound what is done for a mightier user. root's own write
 * leaves the bits of set-user-ID; done by one without CAP_FSETID it clears them.
 */
TEST_F(privileges, write_keeps_no_more_than_the_registrant_may)
{
	static const char *const writers[] = { "pwrite", "splice-write", "aio-write" };
	struct server *server = self->sb.server;
	struct testfile *tf = self->tf;
	const struct action *action;
	int32_t id;
	size_t i;

	if (server_abi(server) != SERVER_ABI_MAINLINE)
		SKIP(return, "the passthrough ABI of 2021 registers a file as it opens it");
	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		action = action_find(writers[i]);
		if (action_missing(action) || !report_select(&tf->report, "%s", writers[i]))
			continue;
		server_set_mode(server, suite_mode(SERVER_PASSTHROUGH));
		make_file(_metadata, tf, 06777);
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1)));
		ASSERT_EQ(64, testfile_write(tf, SELF, F1, action, 64, 10));
		EXPECT_EQ(06777U, mode_of(tf)) {
			TH_LOG("%s by root for root", writers[i]);
		}
		testfile_remove(tf);

		make_file(_metadata, tf, 06777);
		id = register_without_fsetid(tf);
		ASSERT_LT(0, id);
		server_set_open_reply(server, FOPEN_PASSTHROUGH, id);
		ASSERT_EQ(0, testfile_open(tf, SELF, VIEW_BIT(F1)));
		ASSERT_EQ(64, testfile_write(tf, SELF, F1, action, 64, 10));
		EXPECT_EQ(0777U, mode_of(tf)) {
			TH_LOG("%s by root through a registrant without CAP_FSETID", writers[i]);
		}
		testfile_remove(tf);
		ASSERT_EQ(0, server_backing_close(server, id));
	}
}

/* P2, known deviation D5: with killpriv left to a server that sees no write. */
static void with_killpriv(struct __test_metadata *_metadata, struct sandbox *sb,
			  struct testfile *tf, uint64_t flag)
{
	struct server_options opt = for_users;

	opt.init_set = flag;
	opt.mode = suite_mode(opt.mode);
	if (!(server_init_offered(sb->server) & flag))
		SKIP(return, "this kernel does not offer FUSE_HANDLE_KILLPRIV");
	ASSERT_EQ(SANDBOX_OK, sandbox_remount(sb, &opt)) {
		TH_LOG("%s", sb->why);
	}
	tf->quiet = !deviation_strict();
	suite_deviation(_metadata, "D5", all_dropped_rightly(_metadata, tf, true));
}

TEST_F(privileges, write_drops_set_id_with_killpriv)
{
	with_killpriv(_metadata, &self->sb, self->tf, FUSE_HANDLE_KILLPRIV);
}

TEST_F(privileges, write_drops_set_id_with_killpriv_v2)
{
	with_killpriv(_metadata, &self->sb, self->tf, FUSE_HANDLE_KILLPRIV_V2);
}

SUITE_MAIN()
