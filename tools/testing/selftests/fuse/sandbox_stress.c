// SPDX-License-Identifier: GPL-2.0
/*
 * L5: whoever uses a sandbox may be killed at any instruction, fail an assertion
 * or run into a timeout; two seconds later nothing of it is left.
 *
 * FUSE_STRESS_KILLS	kills for each file system
 * FUSE_STRESS_SEED	of the instants, as printed by the run to be repeated
 * FUSE_TEST_FAULT=guardian puts the guardian to sleep: these tests must fail then.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "suite.h"

#include "busy.h"
#include "leftover.h"
#include "sandbox_victim.h"

#define DEFAULT_KILLS	PHASES
#define STRESS_TIMEOUT	900
#define VICTIM_SECONDS	20
#define BUSY_MS		8
/*
 * For a phase to end. A tester as busy as this can come to wait for itself even
 * in life: one thread unmaps a cached file and waits for the server, which waits
 * for the allocator, whose locks fork(2) holds while it waits for the unmapping.
 * That is as good a moment for a kill as any.
 */
#define PATIENCE_MS	400

/* The life of a tester; it says when each of them begins. */
enum phase { ENTER, CREATE, BUSY, DESTROY, PHASES };

static const char *const phase_names[PHASES] = { "enter", "create", "busy", "destroy" };

struct plan {
	const char *fs;
	enum server_mode mode;
	bool busy_to_the_end;		/* unmount under the load, not after it */
	int report;			/* pipe */
	char *why;			/* shared memory; set when the tester exits by itself */
};

#define WHY_LEN 256

static void sleep_us(unsigned int us)
{
	const struct timespec ts = { us / 1000000, us % 1000000 * 1000L };

	nanosleep(&ts, NULL);
}

static void report(const struct plan *plan, enum phase phase)
{
	char byte = phase;

	if (write(plan->report, &byte, 1) != 1)
		_exit(KSFT_FAIL);
}

/* A tester outside of the harness: program and tester are one process here. */
static enum sandbox_result live(const struct plan *plan, struct sandbox *sandbox)
{
	const struct sandbox_options options = { .fs = plan->fs, .server.mode = plan->mode };
	enum sandbox_result result;
	struct busy *busy;

	report(plan, ENTER);
	result = sandbox_enter(sandbox->why, sizeof(sandbox->why));
	if (result != SANDBOX_OK)
		return result;
	report(plan, CREATE);
	result = sandbox_create(sandbox, &options);
	if (result != SANDBOX_OK)
		return result;
	if (server_abi(sandbox->server) == SERVER_ABI_NONE)
		server_set_mode(sandbox->server, SERVER_CACHED);
	report(plan, BUSY);
	busy = busy_start(sandbox);
	if (!busy)
		return SANDBOX_BROKEN;
	sleep_us(BUSY_MS * 1000);
	if (!plan->busy_to_the_end)
		busy_stop(busy);
	report(plan, DESTROY);
	sandbox_destroy(sandbox);
	return SANDBOX_OK;
}

static void tester(const struct plan *plan)
{
	struct sandbox sandbox = { 0 };

	if (live(plan, &sandbox) != SANDBOX_OK)
		snprintf(plan->why, WHY_LEN, "%s", sandbox.why);
	_exit(KSFT_PASS);
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* What the parent sees of a tester's life */
struct life {
	pid_t pid;
	int report;
	long long began_us[PHASES + 1];	/* the last one is the end of the report */
	int phase;
};

/* In a group of its own, like a test of the harness */
static bool begin_life(struct life *life, const struct plan *plan)
{
	struct plan mine = *plan;
	int ends[2];

	memset(life, 0, sizeof(*life));
	if (pipe2(ends, O_CLOEXEC))
		return false;
	mine.report = ends[1];
	life->pid = fork();
	if (!life->pid) {
		setpgrp();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		tester(&mine);
	}
	close(ends[1]);
	life->report = ends[0];
	life->phase = -1;
	return life->pid > 0;
}

/* Follow the tester until @phase has begun; PHASES is the end of its report. */
static bool follow_life(struct life *life, int phase, int patience_ms)
{
	struct pollfd pfd = { .fd = life->report, .events = POLLIN };
	char byte;

	while (life->phase < phase) {
		if (poll(&pfd, 1, patience_ms) <= 0)
			return false;
		life->phase = read(life->report, &byte, 1) == 1 ? byte : PHASES;
		life->began_us[life->phase] = now_us();
	}
	return true;
}

FIXTURE(killed) {
	unsigned int kills;
	unsigned int seed;
	unsigned int random;
	struct plan plan;
	unsigned int lasts_us[PHASES];
	unsigned int patience_ms;	/* PATIENCE_MS and what this machine takes for a phase */
	unsigned int hits[PHASES + 1];
};

BACKING_VARIANTS(killed);

static unsigned int number_from_env(const char *name, unsigned int fallback)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : fallback;
}

FIXTURE_SETUP(killed)
{
	self->kills = number_from_env("FUSE_STRESS_KILLS", DEFAULT_KILLS);
	self->seed = number_from_env("FUSE_STRESS_SEED", now_us());
	self->random = self->seed;
	self->plan.fs = variant->fs;
	self->plan.mode = SERVER_PASSTHROUGH;
	self->plan.why = mmap(NULL, WHY_LEN, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->plan.why);
	ASSERT_EQ(0, leftover_adopt());
}

FIXTURE_TEARDOWN(killed)
{
}

/* How long each phase is here, as far as it gets in peace. False if it does not get far. */
static bool measure(struct __test_metadata *_metadata, FIXTURE_DATA(killed) * self)
{
	struct life life;
	char what[256];
	int phase;
	bool left;

	if (!begin_life(&life, &self->plan))
		return false;
	self->patience_ms = PATIENCE_MS;
	if (follow_life(&life, BUSY, VICTIM_SECONDS * 1000))
		follow_life(&life, PHASES, PATIENCE_MS);
	for (phase = ENTER; phase < life.phase; phase++) {
		/* A phase that a tester never saw did not last. */
		if (!life.began_us[phase + 1] || !life.began_us[phase])
			continue;
		self->lasts_us[phase] = life.began_us[phase + 1] - life.began_us[phase];
		self->patience_ms += self->lasts_us[phase] / 1000;
	}
	close(life.report);
	kill(life.pid, SIGKILL);
	left = leftover_find(life.pid, what, sizeof(what));
	EXPECT_FALSE(left) {
		TH_LOG("after an orderly end there is still: %s", what);
		leftover_abort();
	}
	return !left && life.phase > CREATE;
}

/* Kill it some time into @phase; then both the report and all the rest must end. */
static bool kill_one(struct __test_metadata *_metadata, FIXTURE_DATA(killed) * self,
		     enum phase phase)
{
	unsigned int delay = rand_r(&self->random) % (self->lasts_us[phase] + 1);
	bool group = rand_r(&self->random) % 2;
	char what[256] = "a process that holds the report pipe";
	struct life life;
	bool left;

	if (!begin_life(&life, &self->plan))
		return false;
	if (follow_life(&life, phase, self->patience_ms))
		sleep_us(delay);
	kill(group ? -life.pid : life.pid, SIGKILL);
	self->hits[life.phase < 0 ? ENTER : life.phase]++;
	left = leftover_find(life.pid, what, sizeof(what)) ||
	       !follow_life(&life, PHASES, LEFTOVER_SECONDS * 1000);
	close(life.report);
	EXPECT_FALSE(left) {
		TH_LOG("killed %s %u us into phase %s: %d s later there is still: %s",
		       group ? "with its group" : "alone", delay, phase_names[phase],
		       LEFTOVER_SECONDS, what);
		leftover_abort();
	}
	return !left;
}

TEST_F_TIMEOUT(killed, at_random_instants, STRESS_TIMEOUT)
{
	unsigned int n;
	bool ready;

	ksft_print_msg("FUSE_STRESS_SEED=%u FUSE_STRESS_KILLS=%u\n", self->seed, self->kills);
	ready = measure(_metadata, self);
	if (!ready && self->plan.why[0])
		SKIP(return, "%s", self->plan.why);
	ASSERT_TRUE(ready);
	for (n = 0; n < self->kills; n++) {
		self->plan.mode = rand_r(&self->random) % 2 ? SERVER_CACHED : SERVER_PASSTHROUGH;
		self->plan.busy_to_the_end = rand_r(&self->random) % 2;
		ASSERT_TRUE(kill_one(_metadata, self, n % PHASES)) {
			TH_LOG("kill %u of %u", n + 1, self->kills);
		}
	}
	for (n = 0; n < PHASES; n++)
		ksft_print_msg("%u kills in phase %s, which lasts %u us\n", self->hits[n],
			       phase_names[n], self->lasts_us[n]);
}

FIXTURE(harness) {
};

FIXTURE_VARIANT(harness) {
	const char *victim;
	const char *says;
	bool killed;			/* the main process alone, when it has said that */
};

FIXTURE_VARIANT_ADD(harness, failed_assertion) {
	.victim = "victim.ready.assertion_fails",
	.says = "terminated by assertion",
};

FIXTURE_VARIANT_ADD(harness, failed_setup) {
	.victim = "victim.half_made.assertion_fails",
	.says = "not ok 1",
};

FIXTURE_VARIANT_ADD(harness, timeout) {
	.victim = "victim.ready.reply_is_withheld",
	.says = "terminated by timeout",
};

FIXTURE_VARIANT_ADD(harness, killed_main) {
	.victim = "victim.ready.waits",
	.says = "waits:waits",
	.killed = true,
};

FIXTURE_SETUP(harness)
{
	ASSERT_EQ(0, leftover_adopt());
}

FIXTURE_TEARDOWN(harness)
{
}

/* This program once more, with a sandbox for its main process. */
static void exec_victim(const char *test, int output)
{
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execl("/proc/self/exe", "sandbox_stress", "-r", test, NULL);
	_exit(KSFT_FAIL);
}

/* All it says until @last, or until nobody holds the pipe; false if somebody still does. */
static bool read_output(int fd, char *text, size_t len, const char *last)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t used = strlen(text);
	ssize_t n;

	do {
		if (poll(&pfd, 1, VICTIM_SECONDS * 1000) <= 0)
			return false;
		n = read(fd, text + used, len - 1 - used);
		used += n > 0 ? n : 0;
		text[used] = '\0';
	} while (n > 0 && !(last && strstr(text, last)));
	return true;
}

TEST_F_TIMEOUT(harness, leaves_nothing, 2 * VICTIM_SECONDS)
{
	char output[4096] = "", what[256] = "";
	int ends[2];
	bool ended;
	pid_t pid;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		exec_victim(variant->victim, ends[1]);
	close(ends[1]);
	if (variant->killed) {
		ASSERT_TRUE(read_output(ends[0], output, sizeof(output), variant->says));
		kill(pid, SIGKILL);
	}
	ended = read_output(ends[0], output, sizeof(output), NULL);
	EXPECT_FALSE(leftover_find(pid, what, sizeof(what))) {
		TH_LOG("%d s after %s there is still: %s", LEFTOVER_SECONDS, variant->victim,
		       what);
		leftover_abort();
	}
	EXPECT_TRUE(ended) {
		TH_LOG("something still holds the output of %s", variant->victim);
	}
	EXPECT_NE(NULL, strstr(output, variant->says)) {
		TH_LOG("%s did not end as planned: %s", variant->victim, output);
	}
}

static bool is_victim(int argc, char **argv)
{
	return argc == 3 && !strcmp(argv[1], "-r") && !strncmp(argv[2], "victim.", 7);
}

/*
 * Each tester enters a sandbox of its own, so the program itself must not, unless
 * it is to be the victim.
 */
int main(int argc, char **argv)
{
	char **args, why[256];

	suite_program = argv[0];
	if (suite_only_asks(argc, argv))
		return test_harness_run(argc, argv);
	if (is_victim(argc, argv))
		return suite_main(argc, argv, SUITE_ALL_CPUS);
	if (sandbox_possible(why, sizeof(why)) != SANDBOX_OK) {
		ksft_print_header();
		ksft_exit_skip("%s\n", why);
	}
	args = calloc(argc + 3, sizeof(*args));
	if (!args)
		ksft_exit_fail_msg("out of memory\n");
	memcpy(args, argv, argc * sizeof(*args));
	args[argc++] = "-F";
	args[argc++] = "victim";
	args[argc] = NULL;
	argv = suite_select_fs(&argc, args);
	atexit(suite_all_skipped);
	return test_harness_run(argc, argv);
}
