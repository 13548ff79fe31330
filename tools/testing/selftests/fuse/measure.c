// SPDX-License-Identifier: GPL-2.0
/*
 * How fast a file is through FUSE, beside the same file on its backing file system:
 * passthrough, cached and direct, measured in turn within one run. It prints samples
 * and judges nothing; bench/run of the project makes ratios of them.
 *
 *	measure [-f FS] [-n ROUNDS] [-t MS] [-m MIB] [-q]
 *
 * One line a sample, rates a second:	sample CELL TARGET RATE
 * One a target served by a server:	server CELL TARGET CPU_NS REQUESTS GETXATTR
 *
 * Exit status as of a test: 0 measured, 1 something failed, 4 it cannot be done here.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "abi.h"
#include "fio.h"
#include "rate.h"
#include "suite.h"

#define CHUNK		(1U << 20)
#define SERVER_THREADS	4	/* as of passthrough_mount */
#define OPCODES		64

/* Paths are those of the Makefile's directory. */
__asm__(".pushsection .rodata\n"
	".global job_io\n"
	"job_io:\n"
	".incbin \"fio/io.fio\"\n"
	".byte 0\n"
	".popsection\n");
extern const char job_io[];

/* --- what is compared ------------------------------------------------------------ */

enum target_id { BACKING, PASSTHROUGH, NOXATTR, CACHED, DIRECT, TARGETS };

#define ALL		((1U << TARGETS) - 1)
#define MAPPED		(ALL & ~(1U << DIRECT) & ~(1U << NOXATTR))
#define READ		(ALL & ~(1U << NOXATTR))
#define WRITE		ALL

static const struct {
	const char *name;	/* the section of io.fio */
	const char *variable;	/* its directory there */
	enum server_mode mode;
	bool no_xattr;
} targets[TARGETS] = {
	[BACKING] = { "backing", "BACKING", 0, false },
	[PASSTHROUGH] = { "passthrough", "PASSTHROUGH", SERVER_PASSTHROUGH, false },
	[NOXATTR] = { "noxattr", "NOXATTR", SERVER_PASSTHROUGH, true },
	[CACHED] = { "cached", "CACHED", SERVER_KEEP_CACHE, false },
	[DIRECT] = { "direct", "DIRECT", SERVER_DIRECT_PARALLEL, false },
};

static const struct cell {
	const char *engine, *rw, *bs;	/* of fio; without engine: a loop of rate.h */
	unsigned int threads;
	unsigned int targets;
} cells[] = {
	{ NULL, "fault-read", NULL, 1, MAPPED },
	{ NULL, "fault-read", NULL, 2, MAPPED },
	{ NULL, "fault-write", NULL, 1, MAPPED },
	{ NULL, "fault-write", NULL, 2, MAPPED },
	{ NULL, "msync", NULL, 1, MAPPED },
	{ NULL, "open-map-close", NULL, 1, MAPPED },
	{ NULL, "open-map-close", NULL, 2, MAPPED },
	{ "mmap", "read", "4k", 1, MAPPED },
	{ "mmap", "read", "1m", 1, MAPPED },
	{ "mmap", "randread", "4k", 1, MAPPED },
	{ "mmap", "randread", "4k", 2, MAPPED },
	{ "mmap", "write", "4k", 1, MAPPED },
	{ "mmap", "write", "1m", 1, MAPPED },
	{ "mmap", "randwrite", "4k", 1, MAPPED },
	{ "mmap", "randwrite", "4k", 2, MAPPED },
	{ "psync", "read", "4k", 1, READ },
	{ "psync", "read", "64k", 1, READ },
	{ "psync", "read", "1m", 1, READ },
	{ "psync", "randread", "4k", 1, READ },
	{ "psync", "randread", "4k", 2, READ },
	{ "psync", "write", "4k", 1, WRITE },
	{ "psync", "write", "64k", 1, WRITE },
	{ "psync", "write", "1m", 1, WRITE },
	{ "psync", "randwrite", "4k", 1, WRITE },
	{ "psync", "randwrite", "4k", 2, WRITE },
};

struct bench {
	const char *fs;
	unsigned int rounds, ms, mib;
	bool quick;		/* no fio */
	struct sandbox sb;
	struct server *servers[TARGETS];
	char dir[TARGETS][PATH_MAX];
};

static void name_cell(const struct cell *c, char *name, size_t len)
{
	if (c->engine)
		snprintf(name, len, "%s-%s-%s-%u", c->engine, c->rw, c->bs, c->threads);
	else
		snprintf(name, len, "%s-%u", c->rw, c->threads);
}

/* --- mounts ------------------------------------------------------------------------ */

static void refuse_xattr(struct server *srv)
{
	server_fail(srv, FUSE_GETXATTR, ENOSYS, UINT_MAX);
}

static int mount_target(struct bench *b, enum target_id t)
{
	struct server_options opt = {
		.mode = targets[t].mode,
		.attr_timeout = 1,
		.entry_timeout = 1,
		.stack_depth = strcmp(b->fs, "overlayfs") ? 1 : 2,
		.own_process = true,
		.threads = SERVER_THREADS,
	};
	int err;

	snprintf(b->dir[t], PATH_MAX, "%.4000s/%s", b->sb.dir, targets[t].name);
	if (mkdir(b->dir[t], 0700))
		return -errno;
	err = server_start(&b->servers[t], b->sb.backing, b->dir[t], &opt);
	if (!err && targets[t].no_xattr)
		refuse_xattr(b->servers[t]);
	return err;
}

/* Whole chunks, so that page cache and blocks are laid out alike. */
static int make_file(const struct bench *b, const char *name)
{
	static char chunk[CHUNK];
	char path[PATH_MAX];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%.4000s/%s", b->sb.backing, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	memset(chunk, 0x5a, sizeof(chunk));
	for (unsigned int i = 0; i < b->mib && !err; i++)
		if (write(fd, chunk, CHUNK) != CHUNK)
			err = errno ? -errno : -ENOSPC;
	close(fd);
	return err;
}

static int set_up(struct bench *b)
{
	int err = make_file(b, "data");

	if (!err)
		err = make_file(b, "cached");
	snprintf(b->dir[BACKING], PATH_MAX, "%s", b->sb.backing);
	for (enum target_id t = PASSTHROUGH; t < TARGETS && !err; t++)
		err = mount_target(b, t);
	for (enum target_id t = 0; t < TARGETS && !err; t++)
		setenv(targets[t].variable, b->dir[t], 1);
	return err;
}

static void take_down(struct bench *b)
{
	for (enum target_id t = 0; t < TARGETS; t++)
		server_stop(b->servers[t]);
	sandbox_destroy(&b->sb);
}

/* --- what it costs the server -------------------------------------------------------- */

struct cost {
	uint64_t cpu;		/* ns, of all threads */
	uint64_t requests;
	uint64_t getxattr;
};

/* Time on a processor in nanoseconds, of all threads: clock_getcpuclockid(3). */
static uint64_t cpu_time(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static struct cost cost_of(struct server *srv)
{
	struct cost c = { 0 };

	if (!srv)
		return c;
	c.cpu = cpu_time(server_pid(srv));
	for (uint32_t opcode = 1; opcode < OPCODES; opcode++)
		c.requests += server_requests(srv, opcode);
	c.getxattr = server_requests(srv, FUSE_GETXATTR);
	return c;
}

static void print_cost(const char *cell, enum target_id t, const struct cost *from,
		       const struct cost *to)
{
	printf("# server %s %s %llu %llu %llu\n", cell, targets[t].name,
	       (unsigned long long)(to->cpu - from->cpu),
	       (unsigned long long)(to->requests - from->requests),
	       (unsigned long long)(to->getxattr - from->getxattr));
}

/* --- one cell -------------------------------------------------------------------------- */

static int sample_loop(const struct bench *b, const struct cell *c, const char *name,
		       enum target_id t)
{
	char path[PATH_MAX];
	double rate;

	snprintf(path, sizeof(path), "%.4000s/%s", b->dir[t], t == CACHED ? "cached" : "data");
	rate = rate_measure(rate_find(c->rw), path, c->threads, b->ms);
	if (rate < 0) {
		printf("# %s on %s: %s\n", name, targets[t].name, strerror(-(int)rate));
		return -1;
	}
	printf("# sample %s %s %.1f\n", name, targets[t].name, rate);
	return 0;
}

/* There and back, as the sections of io.fio; the first time counts for nobody. */
static int run_loop(const struct bench *b, const struct cell *c, const char *name)
{
	int failed = 0;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.4000s/data", b->dir[BACKING]);
	rate_measure(rate_find(c->rw), path, c->threads, b->ms);
	for (int i = 0; i < 2 * TARGETS; i++) {
		enum target_id t = i < TARGETS ? i : 2 * TARGETS - 1 - i;

		if (c->targets & 1U << t)
			failed |= sample_loop(b, c, name, t);
	}
	return failed;
}

/* Fields of fio's terse output, version 3, from 0; see its HOWTO. */
enum terse { TERSE_VERSION = 0, TERSE_NAME = 2, TERSE_ERROR = 4, TERSE_READ_IOPS = 7,
	     TERSE_WRITE_IOPS = 48, TERSE_FIELDS };

/* The line is taken apart. */
static int print_terse(const char *name, char *line, bool write)
{
	char *field[TERSE_FIELDS] = { NULL };

	for (int i = 0; i < TERSE_FIELDS; i++)
		field[i] = strsep(&line, ";");
	if (!line || strcmp(field[TERSE_VERSION], "3") || !strcmp(field[TERSE_NAME], "warm"))
		return 0;
	if (strcmp(field[TERSE_ERROR], "0")) {
		printf("# %s on %s: fio says error %s\n", name, field[TERSE_NAME],
		       field[TERSE_ERROR]);
		return -1;
	}
	printf("# sample %s %s %s\n", name, field[TERSE_NAME],
	       field[write ? TERSE_WRITE_IOPS : TERSE_READ_IOPS]);
	return 0;
}

static void set_number(const char *name, unsigned int number, const char *unit)
{
	char text[32];

	snprintf(text, sizeof(text), "%u%s", number, unit);
	setenv(name, text, 1);
}

static int run_fio(const struct bench *b, const struct cell *c, const char *name)
{
	const char *args[TARGETS + 4] = { "--output-format=terse", "--terse-version=3",
					  "--section=warm" };
	char section[TARGETS][32];
	struct fio_run run;
	int n = 3, failed;
	char line[4096];
	FILE *said;

	setenv("ENGINE", c->engine, 1);
	setenv("RW", c->rw, 1);
	setenv("BS", c->bs, 1);
	set_number("JOBS", c->threads, "");
	set_number("RUNTIME", b->ms, "ms");
	for (enum target_id t = 0; t < TARGETS; t++) {
		snprintf(section[t], sizeof(section[t]), "--section=%s", targets[t].name);
		if (c->targets & 1U << t)
			args[n++] = section[t];
	}
	failed = fio_start(&run, job_io, b->sb.dir, args);
	if (failed)
		return failed;
	said = fdopen(dup(run.said), "r");
	failed = fio_wait(&run);
	rewind(said);
	while (fgets(line, sizeof(line), said))
		failed |= print_terse(name, line, strstr(c->rw, "write"));
	fclose(said);
	return failed;
}

static int run_cell(struct bench *b, const struct cell *c)
{
	struct cost before[TARGETS], after;
	char name[64];
	int failed;

	name_cell(c, name, sizeof(name));
	for (enum target_id t = 0; t < TARGETS; t++)
		before[t] = cost_of(b->servers[t]);
	failed = c->engine ? run_fio(b, c, name) : run_loop(b, c, name);
	for (enum target_id t = PASSTHROUGH; t < TARGETS; t++) {
		after = cost_of(b->servers[t]);
		if (c->targets & 1U << t)
			print_cost(name, t, &before[t], &after);
	}
	fflush(stdout);
	return failed;
}

static int run(struct bench *b)
{
	int failed = 0;

	for (unsigned int round = 0; round < b->rounds; round++)
		for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
			if (!cells[i].engine || !b->quick)
				failed |= run_cell(b, &cells[i]);
	return failed;
}

/* --- from the command line to the exit status ---------------------------------------- */

static bool take_number(unsigned int *number, const char *text, unsigned int max)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	*number = value;
	return *text >= '0' && *text <= '9' && !*end && value > 0 && value <= max;
}

static bool take_fs(struct bench *b, const char *name)
{
	for (int i = 0; sandbox_filesystems[i]; i++)
		if (!strcmp(sandbox_filesystems[i], name))
			b->fs = sandbox_filesystems[i];
	return b->fs && !strcmp(b->fs, name);
}

static bool read_options(struct bench *b, int argc, char **argv)
{
	bool good = true;
	int c;

	while (good && (c = getopt(argc, argv, "f:n:t:m:q")) != -1) {
		if (c == 'f')
			good = take_fs(b, optarg);
		else if (c == 'n')
			good = take_number(&b->rounds, optarg, 1000);
		else if (c == 't')
			good = take_number(&b->ms, optarg, 60000);
		else if (c == 'm')
			good = take_number(&b->mib, optarg, 64);
		else if (c == 'q')
			b->quick = true;
		else
			good = false;
	}
	return good && optind == argc;
}

static void describe(const struct bench *b)
{
	struct utsname uts;

	uname(&uts);
	printf("# setting kernel %s\n", uts.release);
	printf("# setting machine %s\n", uts.machine);
	printf("# setting processors %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	printf("# setting fs %s\n", b->fs);
	printf("# setting rounds %u\n", b->rounds);
	printf("# setting ms %u\n", b->ms);
	printf("# setting mib %u\n", b->mib);
}

int main(int argc, char **argv)
{
	struct bench b = { .fs = "ext4", .rounds = 3, .ms = 200, .mib = 32 };
	struct sandbox_options opt = { .server.mode = SERVER_PASSTHROUGH };
	int failed;

	suite_program = argv[0];
	if (!read_options(&b, argc, argv)) {
		fprintf(stderr, "usage: measure [-f FS] [-n ROUNDS] [-t MS] [-m MIB] [-q]\n");
		return KSFT_FAIL;
	}
	ksft_print_header();
	if (sandbox_enter(b.sb.why, sizeof(b.sb.why)))
		ksft_exit_skip("%s\n", b.sb.why);
	suite_require_passthrough();
	if (!b.quick && fio_missing())
		ksft_exit_skip("%s\n", fio_missing());
	opt.fs = b.fs;
	if (sandbox_create(&b.sb, &opt))
		ksft_exit_skip("%s\n", b.sb.why);
	ksft_set_plan(1);
	describe(&b);
	failed = set_up(&b);
	if (failed)
		printf("# setting up: %s\n", strerror(-failed));
	else
		failed = run(&b);
	take_down(&b);
	ksft_test_result(!failed, "every cell was measured\n");
	ksft_finished();
}
