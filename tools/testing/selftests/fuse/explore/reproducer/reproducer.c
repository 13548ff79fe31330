// SPDX-License-Identifier: GPL-2.0
/*
 * A history that FUSE passthrough gets wrong, with a server of its own.
 * Linux 6.9 or later with CONFIG_FUSE_PASSTHROUGH; run as root:
 *
 *	gcc -o reproducer THIS.c && ./reproducer [DIRECTORY]
 *
 * The backing file is made in DIRECTORY (default: a tmpfs of its own); what goes
 * wrong may depend on the file system there. Exit 0: nothing wrong, 1: wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM		(128 * 1024)
/* Not every history needs every step. */
#define STEP __attribute__((unused))
#define DATA_END	12288
#define HOLE_END	20480
#define FIRST_SIZE	26701
#define OLD_SECONDS	1000000000

/* --- the protocol, as in Documentation/filesystems/fuse and <linux/fuse.h> ------- */

enum {
	LOOKUP = 1, FORGET = 2, GETATTR = 3, SETATTR = 4, OPEN = 14, READ = 15, WRITE = 16,
	RELEASE = 18, FSYNC = 20, INIT = 26, FALLOCATE = 43,
};

struct in_header { uint32_t len, opcode; uint64_t unique, node; uint32_t ids[3], pad; };
struct out_header { uint32_t len; int32_t error; uint64_t unique; };
struct attr {
	uint64_t ino, size, blocks, atime, mtime, ctime;
	uint32_t atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, flags;
};

#define FOPEN_DIRECT		1u
#define FOPEN_PASSTHROUGH	128u
#define INIT_EXT		(1u << 30)
#define INIT_PASSTHROUGH	(1u << 5)	/* of flags2 */
#define BACKING_OPEN		_IOW(229, 1, struct backing_map)

struct backing_map { int32_t fd; uint32_t flags; uint64_t padding; };

enum mode { CACHED, DIRECT, PASSTHROUGH, PASSTHROUGH_DIRECT };

/* Shared with the server's process. */
static struct shared { volatile int mode; volatile int ready; } *shared;
static const unsigned int attr_timeout;	/* seconds; set where the history is */
static int device, lower = -1;

static void fill_attr(struct attr *a, int dir)
{
	struct stat st;

	memset(a, 0, sizeof(*a));
	a->ino = 1;
	a->mode = S_IFDIR | 0755;
	a->nlink = 2;
	if (dir || fstat(lower, &st))
		return;
	*a = (struct attr) {
		.ino = 2, .size = st.st_size, .blocks = st.st_blocks, .nlink = 1,
		.atime = st.st_atim.tv_sec, .atimensec = st.st_atim.tv_nsec,
		.mtime = st.st_mtim.tv_sec, .mtimensec = st.st_mtim.tv_nsec,
		.ctime = st.st_ctim.tv_sec, .ctimensec = st.st_ctim.tv_nsec,
		.mode = st.st_mode, .blksize = 4096,
	};
}

static void answer(const struct in_header *in, int error, const void *body, size_t len)
{
	struct out_header out = { sizeof(out) + (error ? 0 : len), -error, in->unique };
	struct iovec iov[2] = { { &out, sizeof(out) }, { (void *)body, error ? 0 : len } };

	if (writev(device, iov, 2) < 0)
		return;	/* interrupted: nobody waits any more */
}

static void answer_attr(const struct in_header *in)
{
	struct { uint64_t valid; uint32_t nsec, pad; struct attr attr; } out = {
		.valid = attr_timeout,
	};

	fill_attr(&out.attr, in->node == 1);
	answer(in, 0, &out, sizeof(out));
}

static void answer_lookup(const struct in_header *in)
{
	struct {
		uint64_t node, generation, entry_valid, attr_valid;
		uint32_t entry_nsec, attr_nsec;
		struct attr attr;
	} out = { .node = 2, .entry_valid = attr_timeout, .attr_valid = attr_timeout };

	fill_attr(&out.attr, 0);
	answer(in, strcmp((const char *)(in + 1), "file") ? ENOENT : 0, &out, sizeof(out));
}

static void answer_setattr(const struct in_header *in)
{
	const struct {
		uint32_t valid, pad;
		uint64_t fh, size, owner, atime, mtime, ctime;
		uint32_t atimensec, mtimensec, ctimensec;
	} *set = (const void *)(in + 1);
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

	if (set->valid & 8 && ftruncate(lower, set->size)) {
		answer(in, errno, NULL, 0);
		return;
	}
	if (set->valid & 16)
		times[0] = (struct timespec) { set->atime, set->atimensec };
	if (set->valid & 32)
		times[1] = (struct timespec) { set->mtime, set->mtimensec };
	if (set->valid & 48 && futimens(lower, times)) {
		answer(in, errno, NULL, 0);
		return;
	}
	answer_attr(in);
}

/* One backing id serves all opens; a second one would be refused. */
static void answer_open(const struct in_header *in)
{
	static int id;
	struct { uint64_t fh; uint32_t flags; int32_t id; } out = { 0 };
	struct backing_map map = { .fd = lower };
	int mode = shared->mode;

	if (mode == DIRECT || mode == PASSTHROUGH_DIRECT)
		out.flags |= FOPEN_DIRECT;
	if (mode == PASSTHROUGH || mode == PASSTHROUGH_DIRECT) {
		if (!id)
			id = ioctl(device, BACKING_OPEN, &map);
		out.flags |= FOPEN_PASSTHROUGH;
		out.id = id;
	}
	answer(in, 0, &out, sizeof(out));
}

static void answer_init(const struct in_header *in)
{
	const uint32_t *offered = (const uint32_t *)(in + 1);
	uint32_t out[16] = { 7, 31, offered[2], INIT_EXT, 0, 128 * 1024, 0, 0 };

	out[7] = 32;			/* max_pages, map_alignment */
	out[8] = INIT_PASSTHROUGH;	/* flags2 */
	out[9] = 2;			/* max_stack_depth */
	answer(in, 0, out, sizeof(out));
	shared->ready = 1;
}

static void answer_io(const struct in_header *in)
{
	const struct {
		uint64_t fh, off;
		uint32_t size;
	} *io = (const void *)(in + 1);
	static char buf[ROOM + 4096];
	uint32_t out[2] = { 0, 0 };
	ssize_t n;

	if (in->opcode == READ)
		n = pread(lower, buf, io->size, io->off);
	else	/* the bytes follow the 40 bytes of fuse_write_in */
		n = pwrite(lower, (const char *)(in + 1) + 40, io->size, io->off);
	out[0] = n;
	answer(in, n < 0 ? errno : 0, in->opcode == READ ? (void *)buf : out,
	       in->opcode == READ ? (size_t)n : sizeof(out));
}

static void answer_fallocate(const struct in_header *in)
{
	const struct { uint64_t fh, off, len; uint32_t mode; } *f = (const void *)(in + 1);

	answer(in, fallocate(lower, f->mode, f->off, f->len) ? errno : 0, NULL, 0);
}

static void serve(void)
{
	static char buf[ROOM + 65536] __attribute__((aligned(8)));
	const struct in_header *in = (const void *)buf;

	while (read(device, buf, sizeof(buf)) > 0) {
		switch (in->opcode) {
		case INIT:
			answer_init(in);
			break;
		case LOOKUP:
			answer_lookup(in);
			break;
		case GETATTR:
			answer_attr(in);
			break;
		case SETATTR:
			answer_setattr(in);
			break;
		case OPEN:
			answer_open(in);
			break;
		case READ:
		case WRITE:
			answer_io(in);
			break;
		case FALLOCATE:
			answer_fallocate(in);
			break;
		case FSYNC:
			answer(in, fsync(lower) ? errno : 0, NULL, 0);
			break;
		case RELEASE:
			answer(in, 0, NULL, 0);
			break;
		case FORGET:
		case 42: /* BATCH_FORGET */
			break;
		default:
			answer(in, ENOSYS, NULL, 0);
		}
	}
	_exit(0);
}

/* --- the mount ------------------------------------------------------------------------ */

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static char dir[4096], path[2][sizeof(dir) + 32];
static pid_t server;

static void give_back(void)
{
	umount2(dir, MNT_DETACH);
	if (server > 0)
		kill(server, SIGKILL);
	unlink(path[1]);
	rmdir(dir);
}

static unsigned char want[ROOM];	/* what the file must contain */
static long want_size;
static unsigned int step, failures;

static unsigned char payload(long off)
{
	return 1 + (step * 97 + off * 3) % 251;
}

/* The file is written before FUSE hears of it: data, a hole, data. */
static void lay_out(void)
{
	long i;

	for (i = 0; i < FIRST_SIZE; i++)
		want[i] = i < DATA_END || i >= HOLE_END ? payload(i) : 0;
	want_size = FIRST_SIZE;
	if (pwrite(lower, want, DATA_END, 0) != DATA_END ||
	    pwrite(lower, want + HOLE_END, FIRST_SIZE - HOLE_END, HOLE_END) < 0)
		die("write");
	if (futimens(lower, (struct timespec[2]) { { OLD_SECONDS, 0 }, { OLD_SECONDS, 0 } }))
		die("futimens");
}

static void mount_it(const char *where)
{
	char data[128];

	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_SLAVE, NULL))
		die("unshare (root?)");
	if (!where) {
		if (mount("none", "/tmp", "tmpfs", 0, NULL))
			die("tmpfs");
		where = "/tmp";
	}
	snprintf(dir, sizeof(dir), "%s/reproducer.XXXXXX", where);
	if (!mkdtemp(dir))
		die(dir);
	snprintf(path[0], sizeof(path[0]), "%s/file", dir);
	snprintf(path[1], sizeof(path[1]), "%s.backing", dir);
	lower = open(path[1], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (lower < 0 || device < 0)
		die(lower < 0 ? path[1] : "/dev/fuse");
	snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("reproducer", dir, "fuse", 0, data))
		die("mount");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	lay_out();
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve();
	}
	/* Nobody but the server keeps the device: its end ends the connection. */
	close(device);
	atexit(give_back);
}

/* --- views and actors ----------------------------------------------------------------- */

struct view {
	const char *name;
	int fuse, flags, prot, map_flags, mode;
	int fd;
	char *map;
	long off, len;
};

#define RW (PROT_READ | PROT_WRITE)

enum { F1, F2, FA, FS, FD, FR, FX, FN, FC, B, MS, MR, MW, MX, MP, MB, VIEWS };

static struct view views[VIEWS] = {
	[F1] = { "F1", 1, O_RDWR, 0, 0, PASSTHROUGH, -1, NULL, 0, 0 },
	[F2] = { "F2", 1, O_RDWR, 0, 0, PASSTHROUGH, -1, NULL, 0, 0 },
	[FA] = { "FA", 1, O_RDWR | O_APPEND, 0, 0, PASSTHROUGH, -1, NULL, 0, 0 },
	[FS] = { "FS", 1, O_RDWR | O_SYNC, 0, 0, PASSTHROUGH, -1, NULL, 0, 0 },
	[FD] = { "FD", 1, O_RDWR | O_DIRECT, 0, 0, PASSTHROUGH, -1, NULL, 0, 0 },
	[FR] = { "FR", 1, O_RDONLY, 0, 0, PASSTHROUGH, -1, NULL, 0, 0 },
	[FX] = { "FX", 1, O_RDWR, 0, 0, PASSTHROUGH_DIRECT, -1, NULL, 0, 0 },
	[FN] = { "FN", 1, O_RDWR, 0, 0, DIRECT, -1, NULL, 0, 0 },
	[FC] = { "FC", 1, O_RDWR, 0, 0, CACHED, -1, NULL, 0, 0 },
	[B] = { "B", 0, O_RDWR, 0, 0, 0, -1, NULL, 0, 0 },
	[MS] = { "MS", 1, O_RDWR, RW, MAP_SHARED, PASSTHROUGH, -1, NULL, 0, 0 },
	[MR] = { "MR", 1, O_RDONLY, PROT_READ, MAP_SHARED, PASSTHROUGH, -1, NULL, 0, 0 },
	[MW] = { "MW", 1, O_RDWR, RW, MAP_SHARED, PASSTHROUGH, -1, NULL, 0, 0 },
	[MX] = { "MX", 1, O_RDWR, RW, MAP_SHARED, PASSTHROUGH_DIRECT, -1, NULL, 0, 0 },
	[MP] = { "MP", 1, O_RDWR, RW, MAP_PRIVATE, PASSTHROUGH, -1, NULL, 0, 0 },
	[MB] = { "MB", 0, O_RDWR, RW, MAP_SHARED, 0, -1, NULL, 0, 0 },
};

static void wrong(const char *what, const struct view *v, long off)
{
	printf("step %u: %s through %s at %ld is wrong\n", step, what, v->name, off);
	/* What comes after that follows from it. */
	if (++failures == 5)
		exit(1);
}

static sigjmp_buf escape;

static void caught(int signo)
{
	(void)signo;
	siglongjmp(escape, 1);
}

/* Copy from or to a mapping; -1 for SIGBUS, which is an outcome. */
static int guarded_copy(void *to, const void *from, size_t len)
{
	if (sigsetjmp(escape, 1))
		return -1;
	memcpy(to, from, len);
	return 0;
}

static STEP void open_view(int id, long off, long len)
{
	struct view *v = &views[id];

	shared->mode = v->mode;
	v->fd = open(path[!v->fuse], v->flags | O_CLOEXEC);
	if (v->fd < 0) {
		printf("step %u: open of %s: %m\n", step, v->name);
		return;
	}
	if (v->prot) {
		v->map = mmap(NULL, len, v->prot, v->map_flags, v->fd, off);
		if (v->map == MAP_FAILED)
			die("mmap");
		v->off = off;
		v->len = len;
	}
}

static STEP void close_fd(int id)
{
	if (views[id].fd >= 0)
		close(views[id].fd);
	views[id].fd = -1;
}

static STEP void close_view(int id)
{
	if (views[id].map)
		munmap(views[id].map, views[id].len);
	views[id].map = NULL;
	close_fd(id);
}

/* --- reading and checking ---------------------------------------------------------------- */

static unsigned char seen[ROOM + 8192] __attribute__((aligned(4096)));

/* A splice or sendfile through a pipe, or plain reads; -1 if it could not be done. */
static ssize_t read_by(struct view *v, const char *how, size_t len, off_t off)
{
	ssize_t n;
	int p[2];

	if (!strstr(how, "splice") && !strstr(how, "sendfile") && !strstr(how, "tee")) {
		off_t start = v->flags & O_DIRECT ? off - off % 4096 : off;
		size_t span = v->flags & O_DIRECT ? ((off + len + 4095) / 4096 * 4096) - start :
						    len;

		n = pread(v->fd, seen, span, start);
		n -= off - start;
		if (n > 0 && off != start)
			memmove(seen, seen + (off - start), n);
		return n > (ssize_t)len ? (ssize_t)len : n;
	}
	if (pipe(p))
		die("pipe");
	fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
	n = strstr(how, "sendfile") ? sendfile(p[1], v->fd, &off, len) :
				      splice(v->fd, &off, p[1], NULL, len, 0);
	if (n > 0)
		n = read(p[0], seen, n);
	close(p[0]);
	close(p[1]);
	return n;
}

static void compare(struct view *v, const char *how, ssize_t n, size_t len, long off)
{
	long room = want_size > off ? want_size - off : 0;

	if (v->prot)
		room = (want_size + 4095) / 4096 * 4096 - off;
	if (n != (room < (long)len ? room : (long)len) || memcmp(seen, want + off, n))
		wrong(how, v, off);
}

static void load(int id, size_t len, long off)
{
	struct view *v = &views[id];
	long end = (want_size + 4095) / 4096 * 4096;

	if (off < v->off || off + (long)len > v->off + v->len || off + (long)len > end)
		return;
	if (guarded_copy(seen, v->map + (off - v->off), len))
		wrong("load (a signal)", v, off);
	else
		compare(v, "load", len, len, off);
}

static STEP void read_view(int id, const char *how, size_t len, long off)
{
	if (views[id].map)
		load(id, len, off);
	else if (views[id].fd >= 0)
		compare(&views[id], how, read_by(&views[id], how, len, off), len, off);
}

/* Every view after a step; not through FUSE descriptors after a quiet one. */
static STEP void check(size_t len, long off, int quiet)
{
	long page = off - off % 4096;
	int id;

	if (off + (long)len > ROOM)
		len = ROOM - off;
	for (id = 0; id < VIEWS; id++) {
		if (id == MP || (!views[id].map && quiet && views[id].fuse))
			continue;
		if (views[id].map && page >= views[id].off && page < views[id].off + views[id].len)
			load(id, off + len - page > 4096 ? 4096 : off + len - page, page);
		else if (!views[id].map)
			read_view(id, "pread", len, off);
	}
}

static STEP void stat_view(int id)
{
	struct stat a, b;

	if (views[id].fd < 0 || fstat(views[id].fd, &a) || fstat(lower, &b))
		return;
	if (a.st_size != b.st_size)
		wrong("st_size", &views[id], a.st_size);
	if (a.st_mtim.tv_sec != b.st_mtim.tv_sec || a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
		wrong("st_mtime", &views[id], a.st_mtim.tv_sec);
	if (a.st_ctim.tv_sec != b.st_ctim.tv_sec || a.st_ctim.tv_nsec != b.st_ctim.tv_nsec)
		wrong("st_ctime", &views[id], a.st_ctim.tv_sec);
}

/* --- writing ------------------------------------------------------------------------------ */

static ssize_t write_by(struct view *v, const char *how, const void *buf, size_t len, off_t off)
{
	struct iovec iov = { (void *)buf, len };
	ssize_t n = -1;
	int p[2];

	if (strstr(how, "append"))
		return pwritev2(v->fd, &iov, 1, off, RWF_APPEND);
	if (strstr(how, "dsync"))
		return pwritev2(v->fd, &iov, 1, off, RWF_DSYNC);
	if (!strstr(how, "splice") && !strstr(how, "sendfile"))
		return pwrite(v->fd, buf, len, off);
	if (pipe(p))
		die("pipe");
	fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
	if (write(p[1], buf, len) == (ssize_t)len)
		n = splice(p[0], NULL, v->fd, &off, len, 0);
	close(p[0]);
	close(p[1]);
	return n;
}

static STEP void write_view(int id, const char *how, size_t len, long off)
{
	static unsigned char buf[ROOM] __attribute__((aligned(4096)));
	struct view *v = &views[id];
	int flags = v->fd >= 0 ? fcntl(v->fd, F_GETFL) : 0;
	ssize_t n;
	size_t i;

	if (v->map ? !(v->prot & PROT_WRITE) : v->fd < 0)
		return;
	step++;
	if (strstr(how, "append") || flags & O_APPEND)
		off = want_size;
	if (v->map && off + (long)len > want_size)
		len = want_size > off ? want_size - off : 0;
	for (i = 0; i < len; i++)
		buf[i] = payload(off + i);
	if (v->map)
		n = guarded_copy(v->map + (off - v->off), buf, len) ? -1 : (ssize_t)len;
	else
		n = write_by(v, how, buf, len, off);
	if (n != (ssize_t)len)
		wrong(how, v, off);
	if (v->map_flags & MAP_PRIVATE)
		return;
	memcpy(want + off, buf, len);
	if (off + (long)len > want_size)
		want_size = off + len;
}

static void resized(long size)
{
	if (size < want_size)
		memset(want + size, 0, want_size - size);
	want_size = size;
}

/* The call named @how; what it does to the file is followed. */
static STEP void control(int id, const char *how, size_t len, long off)
{
	struct view *v = &views[id];
	char *at = v->map ? v->map + (off - v->off) / 4096 * 4096 : NULL;
	int keep = FALLOC_FL_KEEP_SIZE, ret = 0;

	if (v->fd < 0 && !v->map)
		return;
	if (!strcmp(how, "ftruncate")) {
		ret = ftruncate(v->fd, off);
		resized(off);
	} else if (!strcmp(how, "punch-hole") || !strcmp(how, "madvise-remove")) {
		ret = at ? madvise(at, len, MADV_REMOVE) :
			   fallocate(v->fd, FALLOC_FL_PUNCH_HOLE | keep, off, len);
		if (off < want_size)
			memset(want + off, 0, off + (long)len > want_size ? want_size - off :
			       (long)len);
	} else if (!strcmp(how, "zero-range") || !strcmp(how, "fallocate")) {
		ret = fallocate(v->fd, *how == 'z' ? FALLOC_FL_ZERO_RANGE : 0, off, len);
		if (!ret && *how == 'z')
			memset(want + off, 0, len);
		if (!ret && off + (long)len > want_size)
			resized(off + len);
	} else if (!strcmp(how, "fallocate-keep-size")) {
		ret = fallocate(v->fd, keep, off, len);
	} else if (strstr(how, "fsync") || strstr(how, "fdatasync")) {
		ret = fsync(v->fd);
	} else if (strstr(how, "msync")) {
		ret = msync(at, len, strstr(how, "async") ? MS_ASYNC : MS_SYNC);
	} else if (strstr(how, "append")) {
		ret = fcntl(v->fd, F_SETFL, *how == 's' ? O_APPEND : 0);
	} else if (strstr(how, "direct")) {
		ret = fcntl(v->fd, F_SETFL, *how == 's' ? O_DIRECT : 0);
	} else {
		printf("step %u: %s through %s is not repeated here\n", step, how, v->name);
	}
	if (ret)
		printf("step %u: %s through %s: %m\n", step, how, v->name);
}

static STEP void set_times(int id)
{
	if (futimens(views[id].fd, (struct timespec[2]) { { OLD_SECONDS, 0 }, { OLD_SECONDS, 0 } }))
		die("futimens");
}

static void history(void);

int main(int argc, char **argv)
{
	signal(SIGBUS, caught);
	signal(SIGSEGV, caught);
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount_it(argc > 1 ? argv[1] : NULL);
	history();
	printf("%s\n", failures ? "WRONG" : "nothing wrong");
	return !!failures;
}
