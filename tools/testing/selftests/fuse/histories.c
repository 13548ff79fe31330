// SPDX-License-Identifier: GPL-2.0
/*
 * X1: histories keep every rule over all views and actions: traces that once
 * mattered, and a few random ones. FUSE_EXPLORE_SECONDS asks for as many as fit into
 * that time; explore/explore --help draws them without a harness.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "explore/generator.h"
#include "explore/isolate.h"
#include "explore/registers.h"
#include "explore/traces.h"
#include "explore/watchdog.h"
#include "hide.h"
#include "suite.h"

/* Of the default run: a second or so on each file system. */
#define FIRST_SEED	1
#define HISTORIES	6
#define STEPS		300
/* Of a long one, by request: what a history needs to become different from others. */
#define LONG_STEPS	1000
#define USUAL_TIMEOUT	120

/* FUSE_EXPLORE_SECONDS: of random histories, on each backing file system. 0: the short run. */
static unsigned int seconds_wanted(void)
{
	const char *wanted = getenv("FUSE_EXPLORE_SECONDS");

	return wanted && atoi(wanted) > 0 ? atoi(wanted) : 0;
}

/* FUSE_EXPLORE_SEED: other histories than the last time. */
static uint64_t first_seed(void)
{
	const char *wanted = getenv("FUSE_EXPLORE_SEED");

	return wanted && *wanted ? strtoull(wanted, NULL, 0) : FIRST_SEED;
}

/* What is printed is read back as the same history; a seed means one history. */
TEST(traces_are_read_as_they_were_printed)
{
	struct trace drawn, read, again;
	struct trace_error error;
	struct vocabulary voc;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ASSERT_NE(NULL, f);
	ASSERT_EQ(0, vocabulary_init(&voc));
	trace_init(&drawn);
	trace_init(&read);
	trace_init(&again);
	ASSERT_EQ(0, generate(&drawn, &voc, FIRST_SEED, 5000));
	ASSERT_EQ(0, generate(&again, &voc, FIRST_SEED, 5000));
	EXPECT_TRUE(trace_equal(&drawn, &again));
	ASSERT_EQ(0, generate(&again, &voc, FIRST_SEED + 1, 5000));
	EXPECT_FALSE(trace_equal(&drawn, &again));
	ASSERT_EQ(0, trace_print(&drawn, f));
	ASSERT_EQ(0, fclose(f));
	ASSERT_EQ(0, trace_parse(&read, &voc, text, len, &error)) {
		TH_LOG("%u:%u: %s", error.line, error.column, error.why);
	}
	EXPECT_TRUE(trace_equal(&drawn, &read));
	free(text);
	trace_free(&drawn);
	trace_free(&read);
	trace_free(&again);
}

/* What is no trace is refused with line and column. */
TEST(malformed_traces_are_refused_where_they_are_wrong)
{
	static const struct {
		const char *text;
		unsigned int line, column;
	} cases[] = {
		{ "self opne F1 0 0\n", 1, 6 },
		{ "# fine\nnobody check\n", 2, 1 },
		{ "self open F9 0 0", 1, 11 },
		{ "self open F1 0", 1, 15 },
		{ "self open F1 0 12x", 1, 16 },
		{ "self pwrite F1 0 131073", 1, 18 },
		{ "self pwrite F1 -1 1", 1, 16 },
		{ "self check now", 1, 12 },
		{ "self check quiet quiet", 1, 18 },
		{ "self check\nattr-timeout 0\n", 2, 1 },
		{ "attr-timeout", 1, 13 },
		{ "self", 1, 5 },
	};
	struct trace_error error;
	struct vocabulary voc;
	struct trace t;
	size_t i;

	ASSERT_EQ(0, vocabulary_init(&voc));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		trace_init(&t);
		EXPECT_EQ(-EINVAL, trace_parse(&t, &voc, cases[i].text, strlen(cases[i].text),
					       &error)) {
			TH_LOG("accepted: %s", cases[i].text);
		}
		EXPECT_EQ(cases[i].line, error.line);
		EXPECT_EQ(cases[i].column, error.column) {
			TH_LOG("%s: %s", cases[i].text, error.why);
		}
		trace_free(&t);
	}
}

/* From @start to @end, @value in @word. */
#define WROTE(start, end, value, word)	{ start, end, value, word, true, 0, NULL, NULL }
#define READ(start, end, value, word)	{ start, end, value, word, false, 0, NULL, NULL }

/* C15: what the judge of concurrent histories accepts, and what it does not. */
TEST(orders_of_a_word_are_told_apart)
{
	static const struct {
		const char *name;
		bool legal;
		struct register_event events[4];
	} cases[] = {
		{ "read after write", true, {
			WROTE(1, 2, 7, 0), READ(3, 4, 7, 0) } },
		{ "stale read", false, {
			WROTE(1, 2, 7, 0), READ(3, 4, 0, 0) } },
		{ "read beside write sees either", true, {
			WROTE(1, 6, 7, 0), READ(2, 3, 0, 0), READ(4, 5, 7, 0) } },
		{ "new value, then old", false, {
			WROTE(1, 8, 7, 0), READ(2, 3, 7, 0), READ(4, 5, 0, 0) } },
		{ "read before its write", false, {
			WROTE(3, 4, 7, 0), READ(1, 2, 7, 0) } },
		{ "nobody's value", false, {
			WROTE(1, 2, 7, 0), READ(3, 4, 9, 0) } },
		{ "another word", true, {
			WROTE(1, 2, 7, 0), READ(3, 4, 0, 1) } },
		{ "two writes at once, two orders", false, {
			WROTE(1, 4, 7, 0), WROTE(2, 3, 9, 0),
			READ(5, 6, 7, 0), READ(7, 8, 9, 0) } },
		{ "two writes at once, one order", true, {
			WROTE(1, 4, 7, 0), WROTE(2, 3, 9, 0),
			READ(5, 6, 9, 0), READ(7, 8, 9, 0) } },
	};
	struct register_verdict verdict;
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (n = 0; n < 4 && cases[i].events[n].start; n++)
			;
		registers_check(cases[i].events, n, &verdict);
		EXPECT_EQ(cases[i].legal, !verdict.why) {
			TH_LOG("%s: %s", cases[i].name, verdict.why ?: "accepted");
		}
	}
}

/* A step that does not end is a hang, unless the machine had no time for it. */
TEST(hang_is_told_from_a_busy_machine)
{
	static const struct {
		const char *name;
		bool stuck;
		unsigned long beats;	/* seen before: 7 */
		struct instant now;	/* since the last beat */
	} cases[] = {
		{ "goes on", false, 8, { 1000, { 0 } } },
		{ "not for long", false, 7, { 29, { 0 } } },
		{ "for long", true, 7, { 31, { 0 } } },
		{ "processors were busy", false, 7, { 31, { [PRESSURE_CPU] = 5 } } },
		{ "the disk was", false, 7, { 500, { [PRESSURE_IO] = 480 } } },
		{ "there was no memory", false, 7, { 500, { [PRESSURE_MEMORY] = 480 } } },
		{ "one reason at a time", true, 7,
			{ 35, { [PRESSURE_CPU] = 3, [PRESSURE_IO] = 3 } } },
		{ "busy with what it hangs in", true, 7, { 601, { [PRESSURE_CPU] = 601 } } },
	};
	struct watched who;
	struct watch w;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		w = (struct watch) { .now = cases[i].now };
		who = (struct watched) { .beats = 7 };
		EXPECT_EQ(cases[i].stuck, watch_stuck(&w, &who, cases[i].beats)) {
			TH_LOG("%s", cases[i].name);
		}
	}
}

struct player {
	struct vocabulary voc;
	struct runner_options opt;
	struct trace trace;
	char command[256];		/* that runs this test again */
};

FIXTURE(histories)
{
	struct player player;
};

BACKING_VARIANTS(histories);

FIXTURE_SETUP(histories)
{
	/* The harness kills its child, not what the child forked. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ASSERT_EQ(0, vocabulary_init(&self->player.voc));
	trace_init(&self->player.trace);
	snprintf(self->player.command, sizeof(self->player.command), "%s -r histories.%s.%s",
		 suite_program, variant->fs, _metadata->name);
	self->player.opt.fs = variant->fs;
	if (suite_mode(SERVER_PASSTHROUGH) == SERVER_CACHED)
		self->player.opt.mode = SERVER_CACHED;
	else
		self->player.opt.mode = -1;
}

FIXTURE_TEARDOWN(histories)
{
	trace_free(&self->player.trace);
}

/* Wrong bytes are told in full by their report. */
static const char *what_of(const struct outcome *out)
{
	if (out->why[0])
		return out->why;
	return out->finding.what[0] ? out->finding.what : "as reported";
}

/* Skips where there was no verdict, fails where something was found. */
static void expect_nothing(struct __test_metadata *_metadata, const struct outcome *out)
{
	if (out->finding.kind == FOUND_UNSUPPORTED)
		SKIP(return, "%s", out->why);
	EXPECT_EQ(FOUND_NOTHING, out->finding.kind) {
		TH_LOG("%s: %s", finding_name(out->finding.kind), what_of(out));
	}
}

static void read_kept(struct __test_metadata *_metadata, struct player *player,
		      const struct kept_trace *kept)
{
	struct trace_error error;

	player->trace.count = 0;
	ASSERT_EQ(0, trace_parse(&player->trace, &player->voc, kept->text, kept->end - kept->text,
				 &error)) {
		TH_LOG("%s:%u:%u: %s", kept->name, error.line, error.column, error.why);
	}
}

TEST_F_TIMEOUT(histories, that_once_mattered_find_nothing, 120)
{
	const struct kept_trace *kept;
	struct outcome out;

	for (kept = kept_traces; kept->name; kept++) {
		if (kept->deviation)
			continue;
		read_kept(_metadata, &self->player, kept);
		isolate_trace(&self->player.trace, &self->player.opt,
			      self->player.command, true, &out);
		expect_nothing(_metadata, &out);
		EXPECT_NE(0U, out.counts.comparisons);
	}
}

/* What is drawn for @c here and now: the sum of trace_digest(). */
static uint64_t draw(struct __test_metadata *_metadata, const struct campaign *c)
{
	uint64_t drawn = 0, i;
	struct trace t;

	trace_init(&t);
	for (i = 0; i < c->histories; i++) {
		EXPECT_EQ(0, generate(&t, c->voc, c->seed + i, c->steps));
		drawn += trace_digest(&t);
	}
	trace_free(&t);
	return drawn;
}

/* Begun were these histories and no others, and no step was left out unsaid. */
static void expect_drawn(struct __test_metadata *_metadata, const struct campaign *c,
			 const struct outcome *out, uint64_t drawn)
{
	if (out->finding.kind == FOUND_UNSUPPORTED)
		return;
	EXPECT_EQ(drawn, out->counts.drawn);
	EXPECT_EQ(c->histories * c->steps, out->counts.steps + out->counts.skipped);
}

/* One seed is one history on every file system; the short run is the same everywhere. */
TEST_F_TIMEOUT(histories, drawn_at_random_find_nothing, USUAL_TIMEOUT + seconds_wanted())
{
	const unsigned int seconds = seconds_wanted();
	const struct campaign c = {
		.voc = &self->player.voc, .seed = first_seed(),
		.histories = seconds ? 0 : HISTORIES, .steps = seconds ? LONG_STEPS : STEPS,
		.seconds = seconds, .jobs = seconds ? isolate_processors() : 0,
		.command = self->player.command,
	};
	struct outcome out;

	isolate_campaign(&c, &self->player.opt, &out);
	expect_nothing(_metadata, &out);
	if (out.finding.kind != FOUND_NOTHING && out.finding.kind != FOUND_UNSUPPORTED)
		TH_LOG("shrink it: explore/explore --fs %s --seed %llu --ops %u", variant->fs,
		       (unsigned long long)out.seed, c.steps);
	else if (seconds)
		TH_LOG("%llu steps, %llu comparisons on %s from seed %llu",
		       (unsigned long long)out.counts.steps,
		       (unsigned long long)out.counts.comparisons, variant->fs,
		       (unsigned long long)c.seed);
	else
		expect_drawn(_metadata, &c, &out, draw(_metadata, &c));
}

/* What a kernel cannot do is skipped; what comes after it is drawn as ever. */
TEST_F_TIMEOUT(histories, are_the_same_where_features_are_missing, USUAL_TIMEOUT)
{
	const unsigned int calls[] = { __NR_io_uring_setup, __NR_io_setup };
	const struct campaign c = {
		.voc = &self->player.voc, .seed = FIRST_SEED, .histories = 2, .steps = STEPS,
		.command = self->player.command,
	};
	struct outcome out;
	uint64_t drawn;
	char why[128];
	int err;

	/* Drawn often, and before anything is missing. */
	ASSERT_EQ(0, vocabulary_set_weights(&self->player.voc,
					    "aio-read=60,aio-write=60,uring-read=60,uring-write=60",
					    why, sizeof(why)));
	drawn = draw(_metadata, &c);
	err = hide_system_calls(calls, ARRAY_SIZE(calls));
	if (err == -EINVAL)
		SKIP(return, "no system call can be hidden: CONFIG_SECCOMP_FILTER");
	ASSERT_EQ(0, err);
	ASSERT_NE(NULL, action_missing(action_find("uring-read")));
	ASSERT_NE(NULL, action_missing(action_find("aio-write")));
	isolate_campaign(&c, &self->player.opt, &out);
	expect_nothing(_metadata, &out);
	expect_drawn(_metadata, &c, &out, drawn);
}

/* C15: several processes at once; some order explains every word that was read. */
TEST_F_TIMEOUT(histories, of_concurrent_processes_have_an_order, 120)
{
	const struct campaign c = {
		.voc = &self->player.voc, .seed = FIRST_SEED, .histories = 1, .steps = 3000,
		.actors = 3, .command = self->player.command,
	};
	struct outcome out;

	isolate_campaign(&c, &self->player.opt, &out);
	expect_nothing(_metadata, &out);
}

/* Replayed with the deviation as a finding, the trace of it must find it. */
static void expect_deviation(struct __test_metadata *_metadata, struct player *player,
			     const char *id)
{
	const struct kept_trace *kept = kept_traces;
	struct outcome out;

	while (!kept->deviation || strcmp(kept->deviation, id))
		kept++;
	read_kept(_metadata, player, kept);
	player->opt.strict = 1U << (deviation_find(id) - deviations);
	isolate_trace(&player->trace, &player->opt, player->command, deviation_strict(), &out);
	if (out.finding.kind == FOUND_UNSUPPORTED)
		SKIP(return, "%s", out.why);
	if (out.abi != SERVER_ABI_MAINLINE && view_specs[player->trace.steps[0].view].prot)
		SKIP(return, "this passthrough ABI has no other modes to open in");
	EXPECT_TRUE(out.finding.kind == FOUND_NOTHING || out.finding.deviation) {
		TH_LOG("%s: %s", finding_name(out.finding.kind), what_of(&out));
	}
	suite_deviation(_metadata, id, out.finding.kind == FOUND_NOTHING);
}

/* Known deviation D1 */
TEST_F(histories, see_times_of_a_mapped_store)
{
	/* Nothing to see where the file system itself marks no store. */
	if (!strcmp(variant->fs, "tmpfs"))
		SKIP(return, "tmpfs does not mark times for a mapped store");
	expect_deviation(_metadata, &self->player, "D1");
}

/* Known deviation D2 */
TEST_F(histories, open_cached_beside_a_mapping)
{
	expect_deviation(_metadata, &self->player, "D2");
}

/* Known deviation D3 */
TEST_F(histories, clear_append)
{
	expect_deviation(_metadata, &self->player, "D3");
}

/* Known deviation D4 */
TEST_F(histories, splice_beside_direct)
{
	expect_deviation(_metadata, &self->player, "D4");
}

/* Known deviation D12 */
TEST_F(histories, read_asynchronously_beside_growth)
{
	const char *missing = action_missing(action_find("aio-read"));

	if (missing)
		SKIP(return, "%s", missing);
	expect_deviation(_metadata, &self->player, "D12");
}

SUITE_MAIN_RACING()
