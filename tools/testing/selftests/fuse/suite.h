/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Glue between the kselftest harness and the library: every test program
 * includes this once and ends with SUITE_MAIN().
 */
#ifndef FUSE_SELFTEST_SUITE_H
#define FUSE_SELFTEST_SUITE_H

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest.h"
#include "report.h"

/* Attributes and names stay cached for the whole run: no rule may need their expiry. */
#define LONG_TIMEOUT	3600.0

/* argv[0], for the command that reruns a case. */
static const char *suite_program;

/* The harness is about to print the result of @test, as -r names it. */
static inline void suite_before_result(int exit_code, const char *test)
{
	const struct report_case whole = { .program = suite_program, .test = test };

	if (exit_code == KSFT_FAIL)
		report_rerun(&whole);
}

/* Every failure says how to run it again, also those of tests that print nothing themselves. */
#define ksft_test_result_code(exit_code, test, ...)			\
	(suite_before_result(exit_code, test),				\
	 (ksft_test_result_code)(exit_code, test, __VA_ARGS__))

#include "kselftest_harness.h"

/* The harness gives a test 30 s; an emulated machine with others beside it needs more. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

#include "deviation.h"
#include "sandbox.h"

/* The backing file systems as variants of @fixture. */
#define BACKING_VARIANTS(fixture)					\
	FIXTURE_VARIANT(fixture) { const char *fs; };			\
	FIXTURE_VARIANT_ADD(fixture, tmpfs) { .fs = "tmpfs" };		\
	FIXTURE_VARIANT_ADD(fixture, ext4) { .fs = "ext4" };		\
	FIXTURE_VARIANT_ADD(fixture, xfs) { .fs = "xfs" };		\
	FIXTURE_VARIANT_ADD(fixture, btrfs) { .fs = "btrfs" };		\
	FIXTURE_VARIANT_ADD(fixture, overlayfs) { .fs = "overlayfs" }

/*
 * Deliberate faults: serve in cached mode what a test asks to pass through, or
 * the other way round, so that the test can be seen failing.
 */
static inline enum server_mode suite_mode(enum server_mode mode)
{
	const char *fault = getenv("FUSE_TEST_FAULT") ?: "";

	if (!strcmp(fault, "cached") && mode != SERVER_CACHED)
		return SERVER_CACHED;
	if (!strcmp(fault, "coherent") && mode == SERVER_CACHED)
		return SERVER_PASSTHROUGH;
	return mode;
}

/*
 * For tests and FIXTURE_SETUP: a feature that is absent skips the test, trouble
 * fails it, in the words of @why. Returns from the calling function unless @result
 * is SANDBOX_OK.
 */
#define SUITE_NEED(result, why)							\
	do {									\
		switch (result) {						\
		case SANDBOX_OK:						\
			break;							\
		case SANDBOX_UNSUPPORTED:					\
			SKIP(return, "%s", why);				\
		case SANDBOX_BROKEN:						\
			TH_LOG("%s", why);					\
			ASSERT_TRUE(false);					\
		}								\
	} while (0)

/* sandbox_create(), as above. */
#define SUITE_SANDBOX(sb, options)						\
	do {									\
		struct sandbox_options _opt = (options);			\
		_opt.server.mode = suite_mode(_opt.server.mode);		\
		/* The harness kills its child, not what the child forked. */	\
		prctl(PR_SET_PDEATHSIG, SIGKILL);				\
		SUITE_NEED(sandbox_create(sb, &_opt), (sb)->why);		\
	} while (0)

/* What reports say about the running test; @name is static storage. */
static inline struct report_case suite_case(const struct __test_metadata *_metadata,
					    const char *variant, const struct sandbox *sb)
{
	static char test[256];

	snprintf(test, sizeof(test), "%s.%s.%s", _metadata->fixture->name, variant,
		 _metadata->name);
	return (struct report_case) { .program = suite_program, .test = test, .sb = sb };
}

/* Is @word in the comma-separated value of environment variable @name? All are when it is unset. */
static inline bool suite_listed(const char *name, const char *word)
{
	const char *value = getenv(name);
	char list[256], *item, *save;

	if (!value || !*value)
		return true;
	snprintf(list, sizeof(list), "%s", value);
	for (item = strtok_r(list, ", ", &save); item; item = strtok_r(NULL, ", ", &save))
		if (!strcmp(item, word))
			return true;
	return false;
}

/* Is @fs among the backing file systems that FUSE_TEST_FS asks for? */
static inline bool suite_wants_fs(const char *fs)
{
	return suite_listed("FUSE_TEST_FS", fs);
}

/* Tests were named on the command line: they are not thinned out. */
static bool suite_was_asked;

/*
 * A machine that is known to be slow (KSFT_MACHINE_SLOW, set by CI and run_vm.sh
 * for emulated guests) spreads the rows of a large table over the backing file
 * systems: each row runs on one of them, the whole table in one run. True if row
 * number @row is for @fs. FUSE_TEST_CASE always runs.
 */
static inline bool suite_share(unsigned int row, const char *fs)
{
	const char *slow = getenv("KSFT_MACHINE_SLOW");
	unsigned int i, mine = 0, n = 0;

	if (!slow || !*slow || suite_was_asked || getenv("FUSE_TEST_CASE"))
		return true;
	for (i = 0; sandbox_filesystems[i]; i++) {
		if (!strcmp(sandbox_filesystems[i], fs))
			mine = n;
		n += suite_wants_fs(sandbox_filesystems[i]);
	}
	return row % n == mine;
}

/*
 * The verdict on a rule that deviation @id is known to break: it holds (XPASS),
 * it does not (XFAIL, or a failure if strict). A test that failed stays failed.
 */
static inline void suite_deviation(struct __test_metadata *_metadata, const char *id, bool holds)
{
	const struct deviation *d = deviation_find(id);

	if (_metadata->exit_code == KSFT_FAIL)
		return;
	/* It came with a later kernel: here the rule simply holds. */
	if (holds && deviation_is_newer(d))
		return;
	if (!holds && deviation_strict()) {
		report_line("%s is a failure because FUSE_STRICT is set: %s", id, d->what);
		_metadata->exit_code = KSFT_FAIL;
		return;
	}
	_metadata->exit_code = holds ? KSFT_XPASS : KSFT_XFAIL;
	snprintf(_metadata->results->reason, sizeof(_metadata->results->reason), "%s%s: %s", id,
		 holds ? " is gone" : "", d->what);
	if (holds)
		report_line("XPASS: known deviation %s is gone on this kernel: %s", id, d->what);
}

/* A program whose tests were all skipped must not look like one that passed. */
static void suite_all_skipped(void)
{
	if (ksft_cnt.ksft_pass || ksft_cnt.ksft_fail || ksft_cnt.ksft_xfail ||
	    ksft_cnt.ksft_xpass || ksft_cnt.ksft_error)
		return;
	fflush(NULL);
	_exit(KSFT_SKIP);
}

/* Skip the program if the kernel has no passthrough; mounts once to ask it. */
static inline void suite_require_passthrough(void)
{
	struct sandbox_options opt = { .fs = "tmpfs" };
	enum sandbox_result result;
	struct sandbox sb = {};
	struct utsname uts;
	enum server_abi abi;

	result = sandbox_create(&sb, &opt);
	if (result == SANDBOX_UNSUPPORTED)
		ksft_exit_skip("%s\n", sb.why);
	if (result == SANDBOX_BROKEN)
		ksft_exit_fail_msg("%s\n", sb.why);
	abi = server_abi(sb.server);
	sandbox_destroy(&sb);
	if (abi != SERVER_ABI_NONE)
		return;
	uname(&uts);
	ksft_exit_skip("kernel %s has no FUSE passthrough (CONFIG_FUSE_PASSTHROUGH, Linux 6.9)\n",
		       uts.release);
}

/* Ends the program if environment variable @variable lists neither file systems nor @other. */
static inline void suite_check_list(const char *variable, const char *other)
{
	char list[256], *name, *save;
	int i;

	snprintf(list, sizeof(list), "%s", getenv(variable) ?: "");
	for (name = strtok_r(list, ", ", &save); name; name = strtok_r(NULL, ", ", &save)) {
		for (i = 0; sandbox_filesystems[i]; i++)
			if (!strcmp(sandbox_filesystems[i], name))
				break;
		if (!sandbox_filesystems[i] && strcmp(name, other))
			ksft_exit_fail_msg("%s: no backing file system '%s'\n", variable, name);
	}
}

/*
 * FUSE_TEST_FS=tmpfs,ext4: exclude the variants of all other backing file systems
 * by -V options before those given: of all the first one that matches decides.
 *
 * FUSE_TEST_PART=ext4,rest: of what would run, this process does the variants of
 * ext4 and the tests that are of no file system; somebody else does the others.
 */
static inline char **suite_select_fs(int *argc, char **argv)
{
	bool rest = suite_listed("FUSE_TEST_PART", "rest"), some = false;
	char **args = calloc(*argc + 32, sizeof(*args));
	int i, n = 1;

	if (!args)
		ksft_exit_fail_msg("out of memory\n");
	suite_check_list("FUSE_TEST_FS", "");
	suite_check_list("FUSE_TEST_PART", "rest");
	args[0] = argv[0];
	for (i = 0; sandbox_filesystems[i]; i++) {
		const char *fs = sandbox_filesystems[i];
		bool mine = suite_wants_fs(fs) && suite_listed("FUSE_TEST_PART", fs);

		some |= mine;
		/* One -v excludes whatever has no such variant. */
		if (mine && rest)
			continue;
		args[n++] = mine ? "-v" : "-V";
		args[n++] = (char *)fs;
	}
	if (!some) {
		ksft_print_header();
		ksft_exit_skip("FUSE_TEST_PART has none of the file systems of FUSE_TEST_FS\n");
	}
	memcpy(args + n, argv + 1, (*argc - 1) * sizeof(*args));
	*argc += n - 1;
	return args;
}

static inline bool suite_only_asks(int argc, char **argv)
{
	return argc == 2 && (!strcmp(argv[1], "-l") || !strcmp(argv[1], "-h"));
}

/*
 * A history is told step by step: its processes and the server take turns, and
 * never run at once. On one processor they hand over without waking another, which
 * is most of the time they take in a virtual machine. Inherited by what they fork.
 */
static inline void suite_stay_on_one_cpu(void)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	if (cpu < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

enum suite_needs {
	SUITE_PASSTHROUGH = 1 << 0,	/* passthrough, not just FUSE */
	SUITE_ALL_CPUS = 1 << 1,	/* actors that race */
};

static inline int suite_main(int argc, char **argv, unsigned int needs)
{
	char why[256] = "";

	suite_program = argv[0];
	if (suite_only_asks(argc, argv))
		return test_harness_run(argc, argv);

	switch (sandbox_enter(why, sizeof(why))) {
	case SANDBOX_OK:
		break;
	case SANDBOX_UNSUPPORTED:
		ksft_print_header();
		ksft_exit_skip("%s\n", why);
	case SANDBOX_BROKEN:
		ksft_print_header();
		ksft_exit_fail_msg("%s\n", why);
	}
	if (!(needs & SUITE_ALL_CPUS))
		suite_stay_on_one_cpu();
	if (needs & SUITE_PASSTHROUGH)
		suite_require_passthrough();
	suite_was_asked = argc > 1;
	argv = suite_select_fs(&argc, argv);
	atexit(suite_all_skipped);
	return test_harness_run(argc, argv);
}

#define SUITE_MAIN_WITH(needs)						\
	int main(int argc, char **argv)					\
	{								\
		return suite_main(argc, argv, needs);			\
	}

/* Programs on passthrough itself, those with actors that race, and those on any FUSE. */
#define SUITE_MAIN()		SUITE_MAIN_WITH(SUITE_PASSTHROUGH)
#define SUITE_MAIN_RACING()	SUITE_MAIN_WITH(SUITE_PASSTHROUGH | SUITE_ALL_CPUS)
#define SUITE_MAIN_ANY()	SUITE_MAIN_WITH(SUITE_ALL_CPUS)

#endif /* FUSE_SELFTEST_SUITE_H */
