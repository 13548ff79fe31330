// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
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
	if (!*text || snprintf(list, sizeof(list), "%s", text) >= (int)sizeof(list))
		return complain("--strict", text, "needs a list of deviations (D1,D2), or no =");
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

static int parse_one(struct options *o, int opt, const char *arg, char **argv)
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
	case ':':
		return complain("option", argv[optind - 1], "needs a value (see --help)");
	default:
		return complain("option", argv[optind - 1], "not understood (see --help)");
	}
}

/* --- options together --------------------------------------------------------- */

#define GIVEN(opt)	(1U << ((opt) - OPT_SEED))

/* Neither has a meaning where the other one is given. */
static const struct {
	int one, others;
} contradictions[] = {
	/* What is replayed is not drawn, and is one history. */
	{ OPT_REPLAY, GIVEN(OPT_SEED) | GIVEN(OPT_OPS) | GIVEN(OPT_WEIGHTS) | GIVEN(OPT_RECORD) |
		      GIVEN(OPT_HISTORIES) | GIVEN(OPT_TIME) | GIVEN(OPT_JOBS) |
		      GIVEN(OPT_CONCURRENT) | GIVEN(OPT_SURVEY) | GIVEN(OPT_NO_SHRINK) },
	/* What is recorded is one history, and does not run. */
	{ OPT_RECORD, GIVEN(OPT_HISTORIES) | GIVEN(OPT_TIME) | GIVEN(OPT_JOBS) |
		      GIVEN(OPT_CONCURRENT) | GIVEN(OPT_SURVEY) | GIVEN(OPT_NO_SHRINK) },
	/* Those who act at once draw reads and writes alone, and want all processors. */
	{ OPT_CONCURRENT, GIVEN(OPT_WEIGHTS) | GIVEN(OPT_JOBS) | GIVEN(OPT_SURVEY) },
	/* How soon it is found is a matter of one worker. */
	{ OPT_SURVEY, GIVEN(OPT_JOBS) },
	/* In one mode alone nothing is looked over. */
	{ OPT_MODE, GIVEN(OPT_STRICT) },
};

static const char *name_of(int opt)
{
	const struct option *o = longs;

	while (o->val != opt)
		o++;
	return o->name;
}

static int check_together(unsigned int given)
{
	unsigned int both;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(contradictions); i++) {
		both = given & contradictions[i].others;
		if (!both || !(given & GIVEN(contradictions[i].one)))
			continue;
		fprintf(stderr, "explore: --%s and --%s contradict each other\n",
			name_of(contradictions[i].one), name_of(OPT_SEED + __builtin_ctz(both)));
		return EXIT_USAGE;
	}
	return -1;
}

static int check_output(const char *path)
{
	struct stat st;

	errno = 0;
	if (!stat(path, &st) && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	if (!errno && !access(path, W_OK | X_OK))
		return -1;
	return complain("--output", path, strerror(errno));
}

/* Short enough to be typed. */
static void draw_seed(uint64_t *seed)
{
	if (getrandom(seed, sizeof(*seed), 0) == sizeof(*seed))
		*seed %= 1000000000;
}

int options_parse(struct options *o, int argc, char **argv)
{
	unsigned int given = 0;
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
	while ((opt = getopt_long(argc, argv, ":qh", longs, NULL)) != -1) {
		if (opt >= OPT_SEED)
			given |= GIVEN(opt);
		ret = parse_one(o, opt, optarg, argv);
		if (ret >= 0)
			return ret;
	}
	if (optind < argc)
		return complain("argument", argv[optind], "not understood");
	ret = check_together(given);
	if (ret < 0)
		ret = check_output(o->output);
	if (ret >= 0)
		return ret;
	if (!(given & GIVEN(OPT_SEED)))
		draw_seed(&o->seed);
	if (!o->histories && o->seconds <= 0)
		o->histories = 1;
	if (!o->jobs)
		o->jobs = isolate_processors();
	if (o->histories && o->jobs > o->histories)
		o->jobs = o->histories;
	return -1;
}
