// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "kselftest.h"

#include "deviation.h"
#include "isolate.h"
#include "options.h"

#define USUAL_OPS	1000
#define USUAL_OUTPUT	"."
#define MAX_CONCURRENT	16
#define MAX_HUNTS	10000
#define MAX_SECONDS	(7 * 24 * 3600.0)

static const char help[] =
"usage: explore [options]\n"
"Random histories over every view of a file on a FUSE passthrough mount; what one\n"
"of them finds is shrunk to the least that still shows it.\n"
"\n"
"  --seed N          the first history (default: random; always printed)\n"
"  --ops N           steps of a history (default 1000)\n"
"  --histories N     how many, with seeds N, N+1, ... (default 1, or --time)\n"
"  --time SECONDS    as many histories as fit\n"
"  --jobs N          so many at once (default: one a processor)\n"
"  --fs NAME         backing file system (default tmpfs): tmpfs ext4 xfs btrfs overlayfs\n"
"  --weights LIST    how often actions are drawn: store=10,punch-hole=0 or all=0,...\n"
"  --mode MODE       serve every view through FUSE in this mode: cached, direct, ...\n"
"                    (a control: what is incoherent by design must be found)\n"
"  --strict[=LIST]   known deviations are findings: all of them, or D1,D3 ...\n"
"  --record FILE     write the history of --seed to FILE and do not run it\n"
"  --replay FILE     run this trace instead of drawing one\n"
"  --output DIR      where traces and reproducers of findings go (default .)\n"
"  --survey N        hunt N times from different seeds, for --time or --histories each;\n"
"                    says how soon something was found and what it shrank to\n"
"  --no-shrink       report a finding as it was drawn\n"
"  --concurrent N    N actors at once on overlapping ranges\n"
"  --list            print actions, weights, views, actors\n"
"  -q, --quiet       only findings\n"
"  -h, --help        this\n"
"\n"
"exit: 0 nothing found, 1 found, 2 wrong usage or trace, 3 trouble with machine or\n"
"harness, 4 nothing could run here (no root, no FUSE passthrough)\n";

enum {
	OPT_SEED = 256, OPT_OPS, OPT_HISTORIES, OPT_TIME, OPT_JOBS, OPT_FS, OPT_WEIGHTS, OPT_MODE,
	OPT_STRICT, OPT_RECORD, OPT_REPLAY, OPT_OUTPUT, OPT_NO_SHRINK, OPT_CONCURRENT,
	OPT_LIST, OPT_SURVEY,
};

static const struct option longs[] = {
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "ops", required_argument, NULL, OPT_OPS },
	{ "histories", required_argument, NULL, OPT_HISTORIES },
	{ "time", required_argument, NULL, OPT_TIME },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "fs", required_argument, NULL, OPT_FS },
	{ "weights", required_argument, NULL, OPT_WEIGHTS },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "strict", optional_argument, NULL, OPT_STRICT },
	{ "record", required_argument, NULL, OPT_RECORD },
	{ "replay", required_argument, NULL, OPT_REPLAY },
	{ "output", required_argument, NULL, OPT_OUTPUT },
	{ "no-shrink", no_argument, NULL, OPT_NO_SHRINK },
	{ "concurrent", required_argument, NULL, OPT_CONCURRENT },
	{ "survey", required_argument, NULL, OPT_SURVEY },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static int complain(const char *what, const char *value, const char *rule)
{
	fprintf(stderr, "explore: %s '%s': %s\n", what, value, rule);
	return EXIT_USAGE;
}

static int parse_count(const char *what, const char *text, uint64_t min, uint64_t max,
		       uint64_t *value)
{
	char rule[64], *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (!errno && end != text && !*end && !strchr(text, '-') && *value >= min && *value <= max)
		return -1;
	snprintf(rule, sizeof(rule), "must be a number from %llu to %llu",
		 (unsigned long long)min, (unsigned long long)max);
	return complain(what, text, rule);
}

static int parse_seconds(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end != text && !*end && *value > 0 && *value <= MAX_SECONDS)
		return -1;
	return complain("--time", text, "must be seconds, more than 0");
}

static int parse_fs(struct options *o, const char *text)
{
	int i;

	for (i = 0; sandbox_filesystems[i]; i++) {
		if (!strcmp(sandbox_filesystems[i], text)) {
			o->runner.fs = sandbox_filesystems[i];
			return -1;
		}
	}
	return complain("--fs", text, "no such backing file system");
}

static int parse_mode(struct options *o, const char *text)
{
	int i;

	for (i = 0; i < SERVER_MODES; i++) {
		if (!strcmp(server_mode_name(i), text)) {
			o->runner.mode = i;
			return -1;
		}
	}
	return complain("--mode", text, "no such mode (cached, direct, passthrough, ...)");
}

static int parse_strict(struct options *o, const char *text)
{
	char list[256], *id, *save;
	const struct deviation *d;

	if (!text) {
		o->runner.strict = ~(deviation_mask)0;
		return -1;
	}
	snprintf(list, sizeof(list), "%s", text);
	for (id = strtok_r(list, ",", &save); id; id = strtok_r(NULL, ",", &save)) {
		d = deviation_find(id);
		if (!d)
			return complain("--strict", id, "no such deviation (D1, D2, ...)");
		o->runner.strict |= 1U << (d - deviations);
	}
	return -1;
}

static int parse_weights(struct options *o, const char *text)
{
	char why[128];

	if (!vocabulary_set_weights(&o->voc, text, why, sizeof(why)))
		return -1;
	fprintf(stderr, "explore: %s\n", why);
	return EXIT_USAGE;
}

static int parse_one(struct options *o, int opt, const char *arg)
{
	uint64_t n;
	int ret;

	switch (opt) {
	case OPT_SEED:
		return parse_count("--seed", arg, 0, UINT64_MAX, &o->seed);
	case OPT_OPS:
		ret = parse_count("--ops", arg, 1, TRACE_MAX_STEPS, &n);
		o->ops = n;
		return ret;
	case OPT_HISTORIES:
		return parse_count("--histories", arg, 1, UINT64_MAX, &o->histories);
	case OPT_CONCURRENT:
		ret = parse_count("--concurrent", arg, 2, MAX_CONCURRENT, &n);
		o->concurrent = n;
		return ret;
	case OPT_JOBS:
		ret = parse_count("--jobs", arg, 1, MAX_JOBS, &n);
		o->jobs = n;
		return ret;
	case OPT_SURVEY:
		ret = parse_count("--survey", arg, 1, MAX_HUNTS, &n);
		o->survey = n;
		return ret;
	case OPT_TIME:
		return parse_seconds(arg, &o->seconds);
	case OPT_FS:
		return parse_fs(o, arg);
	case OPT_WEIGHTS:
		return parse_weights(o, arg);
	case OPT_MODE:
		return parse_mode(o, arg);
	case OPT_STRICT:
		return parse_strict(o, arg);
	case OPT_RECORD:
		o->record = arg;
		return -1;
	case OPT_REPLAY:
		o->replay = arg;
		return -1;
	case OPT_OUTPUT:
		o->output = arg;
		return -1;
	case OPT_NO_SHRINK:
		o->keep = true;
		return -1;
	case OPT_LIST:
		o->list = true;
		return -1;
	case 'q':
		o->quiet = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return EXIT_CLEAN;
	default:
		fputs("explore: try --help\n", stderr);
		return EXIT_USAGE;
	}
}

/* Options that cannot both be meant. */
static int contradiction(const struct options *o, bool seeded)
{
	const struct {
		bool both;
		const char *names;
	} pairs[] = {
		{ o->replay && seeded, "--replay and --seed" },
		{ o->replay && o->record, "--replay and --record" },
		{ o->replay && o->seconds > 0, "--replay and --time" },
		{ o->replay && o->histories, "--replay and --histories" },
		{ o->replay && o->jobs, "--replay and --jobs" },
		{ o->concurrent && o->jobs, "--concurrent and --jobs" },
		{ o->replay && o->concurrent, "--replay and --concurrent" },
		{ o->survey && o->replay, "--survey and --replay" },
		{ o->survey && o->record, "--survey and --record" },
		{ o->survey && o->concurrent, "--survey and --concurrent" },
		{ o->survey && o->jobs, "--survey and --jobs" },
		{ o->record && o->concurrent, "--record and --concurrent" },
		{ o->record && o->histories > 1, "--record and --histories" },
		{ o->record && o->seconds > 0, "--record and --time" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!pairs[i].both)
			continue;
		fprintf(stderr, "explore: %s contradict each other\n", pairs[i].names);
		return EXIT_USAGE;
	}
	return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
	bool seeded = false;
	int opt, ret;

	memset(o, 0, sizeof(*o));
	o->runner.fs = "tmpfs";
	o->runner.mode = -1;
	o->ops = USUAL_OPS;
	o->output = USUAL_OUTPUT;
	if (vocabulary_init(&o->voc)) {
		fputs("explore: more actions than MAX_VERBS\n", stderr);
		return EXIT_TROUBLE;
	}
	if (deviation_strict())
		parse_strict(o, NULL);
	while ((opt = getopt_long(argc, argv, "qh", longs, NULL)) != -1) {
		seeded |= opt == OPT_SEED;
		ret = parse_one(o, opt, optarg);
		if (ret >= 0)
			return ret;
	}
	if (optind < argc)
		return complain("argument", argv[optind], "not understood");
	if (access(o->output, W_OK | X_OK))
		return complain("--output", o->output, strerror(errno));
	if (!seeded && getrandom(&o->seed, sizeof(o->seed), 0) == sizeof(o->seed))
		/* Short enough to be typed. */
		o->seed %= 1000000000;
	ret = contradiction(o, seeded);
	if (!o->histories && o->seconds <= 0)
		o->histories = 1;
	if (!o->jobs)
		o->jobs = isolate_processors();
	if (o->histories && o->jobs > o->histories)
		o->jobs = o->histories;
	return ret;
}
