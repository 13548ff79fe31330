/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that end badly, for sandbox_stress to look at what they leave behind. A
 * run excludes them: all of them fail, and are meant to.
 */
#ifndef FUSE_SELFTEST_SANDBOX_VICTIM_H
#define FUSE_SELFTEST_SANDBOX_VICTIM_H

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "suite.h"

FIXTURE(victim) {
	struct sandbox sandbox;
	char *map;
	int fd;
};

FIXTURE_VARIANT(victim) {
	bool setup_fails;
};

FIXTURE_VARIANT_ADD(victim, ready) {
	.setup_fails = false,
};

/* The harness calls no teardown then. */
FIXTURE_VARIANT_ADD(victim, half_made) {
	.setup_fails = true,
};

FIXTURE_SETUP(victim)
{
	const struct sandbox_options options = {
		.fs = "tmpfs",
		.server = { .mode = SERVER_CACHED },
	};
	char path[PATH_MAX];

	ASSERT_EQ(SANDBOX_OK, sandbox_create(&self->sandbox, &options)) {
		TH_LOG("%s", self->sandbox.why);
	}
	snprintf(path, sizeof(path), "%.4000s/file", self->sandbox.mnt);
	self->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, sysconf(_SC_PAGESIZE)));
	self->map = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	self->map[0] = 1;
	ASSERT_FALSE(variant->setup_fails);
}

FIXTURE_TEARDOWN(victim)
{
	sandbox_destroy(&self->sandbox);
}

TEST_F(victim, assertion_fails)
{
	ASSERT_EQ(2, self->map[0]);
}

/* Long enough for the setup under load, short enough to wait for. */
TEST_F_TIMEOUT(victim, reply_is_withheld, 1)
{
	struct stat st;

	server_withhold(self->sandbox.server, FUSE_GETATTR);
	stat(self->sandbox.mnt, &st);
}

/* Until somebody kills the program above it, whom this test would outlive. */
TEST_F(victim, waits)
{
	TH_LOG("waits");
	pause();
}

#endif /* FUSE_SELFTEST_SANDBOX_VICTIM_H */
