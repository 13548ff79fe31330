// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping of a passthrough file as the rest of the system shows it.
 *
 * The pages are the backing file's, but debuggers, profilers and core dumps name
 * the file that was mapped: path, device and inode are those of the FUSE file in
 * everything /proc says (proc(5)). The L ids in the comments are rows of the
 * catalogue of properties.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "abi.h"
#include "suite_file.h"

FIXTURE(proc_maps)
{
	struct sandbox sb;
	struct testfile *tf;
	struct view *map;
	struct stat st;		/* of the FUSE file */
};

BACKING_VARIANTS(proc_maps);

FIXTURE_SETUP(proc_maps)
{
	suite_file_set_up(_metadata, variant->fs, SERVER_PASSTHROUGH, &self->sb, &self->tf);
	if (!self->tf)
		return;
	ASSERT_EQ(0, testfile_create(self->tf, "file"));
	ASSERT_EQ(0, testfile_open(self->tf, SELF, VIEW_BIT(F1) | VIEW_BIT(MS)));
	self->map = &self->tf->actors[SELF].views[MS];
	/* A page that is in the page tables. */
	ASSERT_EQ(64, testfile_write(self->tf, SELF, MS, action_find("store"), 64, 100));
	ASSERT_EQ(0, fstat(self->map->fd, &self->st));
}

FIXTURE_TEARDOWN(proc_maps)
{
	testfile_free(self->tf);
	sandbox_destroy(&self->sb);
}

/* What one place says of the mapping. */
struct shown {
	char path[PATH_MAX];
	unsigned int major, minor;
	unsigned long long ino;
};

/* The lines of maps and smaps have one form. 0 or -errno. */
static int shown_by_text(const char *proc, const struct view *map, struct shown *s)
{
	unsigned long start;
	char line[PATH_MAX + 128];
	FILE *f = fopen(proc, "re");
	int err = -ENOENT;

	if (!f)
		return -errno;
	while (err && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%*x %*s %*x %x:%x %llu %4095s", &start, &s->major, &s->minor,
			   &s->ino, s->path) == 5 && start == (unsigned long)map->map)
			err = 0;
	fclose(f);
	return err;
}

static int shown_by_maps(const struct view *map, struct shown *s)
{
	return shown_by_text("/proc/self/maps", map, s);
}

static int shown_by_smaps(const struct view *map, struct shown *s)
{
	return shown_by_text("/proc/self/smaps", map, s);
}

/* A symbolic link a mapping, proc_pid_map_files(5); following it opens the file. */
static int shown_by_map_files(const struct view *map, struct shown *s)
{
	const unsigned long start = (unsigned long)map->map;
	char link[64];
	struct stat st;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/map_files/%lx-%lx", start, start + map->map_len);
	len = readlink(link, s->path, sizeof(s->path) - 1);
	if (len < 0 || stat(link, &st))
		return -errno;
	s->path[len] = '\0';
	s->major = major(st.st_dev);
	s->minor = minor(st.st_dev);
	s->ino = st.st_ino;
	return 0;
}

/* Argument of PROCMAP_QUERY (Linux 6.11), <linux/fs.h> */
struct procmap {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset;
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	uint32_t name_size, build_id_size;
	uint64_t name_addr, build_id_addr;
};

#define PROCMAP	_IOWR('f', 17, struct procmap)

static int shown_by_query(const struct view *map, struct shown *s)
{
	struct procmap query = {
		.size = sizeof(query),
		.query_addr = (unsigned long)map->map,
		.name_size = sizeof(s->path),
		.name_addr = (unsigned long)s->path,
	};
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = ioctl(fd, PROCMAP, &query) ? -errno : 0;
	close(fd);
	s->major = query.dev_major;
	s->minor = query.dev_minor;
	s->ino = query.inode;
	return err;
}

static const struct place {
	const char *name;
	int (*look)(const struct view *map, struct shown *s);
	int absent;		/* errno of a kernel without it */
} places[] = {
	{ "/proc/self/maps",		shown_by_maps,		0 },
	{ "/proc/self/smaps",		shown_by_smaps,		-ENOENT },
	{ "/proc/self/map_files",	shown_by_map_files,	-ENOENT },
	{ "PROCMAP_QUERY",		shown_by_query,		-ENOTTY },
};

/* Does @p name the FUSE file? Says so if not, unless the caller expects it. */
static bool names_the_file(struct __test_metadata *_metadata, const struct testfile *tf,
			   const struct view *map, const struct stat *st, const struct place *p)
{
	struct shown s = {};
	int err = p->look(map, &s);

	if (err && err == p->absent) {
		report_line("%s left out: %s", p->name, strerror(-err));
		return true;
	}
	EXPECT_EQ(0, err) {
		TH_LOG("%s: %s", p->name, strerror(-err));
	}
	if (!strcmp(tf->fuse, s.path) && s.major == major(st->st_dev) &&
	    s.minor == minor(st->st_dev) && s.ino == st->st_ino)
		return true;
	report_line("%s shows %s, device %u:%u, inode %llu", p->name, s.path, s.major, s.minor,
		    s.ino);
	report_line("  what was mapped is %s, device %u:%u, inode %llu", tf->fuse,
		    major(st->st_dev), minor(st->st_dev), (unsigned long long)st->st_ino);
	return false;
}

/* L3: maps, smaps, map_files and PROCMAP_QUERY. Over overlayfs, known deviation D11. */
TEST_F(proc_maps, every_place_names_the_file_that_was_mapped)
{
	bool named = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		named &= names_the_file(_metadata, self->tf, self->map, &self->st, &places[i]);
	if (!strcmp(variant->fs, "overlayfs")) {
		suite_deviation(_metadata, "D11", named);
		return;
	}
	EXPECT_TRUE(named) {
		report_rerun(&self->tf->report);
	}
}

/* "Rss:" and the like of the mapping, in KiB; -1 if there is no such line. */
static long smaps_value(const struct view *map, const char *name)
{
	unsigned long start, end;
	bool inside = false;
	char line[PATH_MAX + 128];
	long value = -1;
	FILE *f = fopen("/proc/self/smaps", "re");

	while (f && value < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && strchr(line, ':') &&
		    line[strspn(line, "0123456789abcdef")] == '-')
			inside = start == (unsigned long)map->map;
		else if (inside && !strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	}
	if (f)
		fclose(f);
	return value;
}

/* L3: pages that are touched count as the mapping's, and dirty as long as they are. */
TEST_F(proc_maps, touched_pages_are_accounted_for)
{
	const long kib = sysconf(_SC_PAGESIZE) / 1024;

	if (smaps_value(self->map, "Size:") < 0)
		SKIP(return, "no /proc/self/smaps: CONFIG_PROC_PAGE_MONITOR");
	EXPECT_EQ((long)self->map->map_len / 1024, smaps_value(self->map, "Size:"));
	EXPECT_LE(kib, smaps_value(self->map, "Rss:"));
	EXPECT_LE(kib, smaps_value(self->map, "Shared_Dirty:") +
		  smaps_value(self->map, "Private_Dirty:"));
	ASSERT_EQ(0, madvise(self->map->map, self->map->map_len, MADV_DONTNEED));
	EXPECT_EQ(0, smaps_value(self->map, "Rss:"));
	EXPECT_EQ(0U, testfile_check_all(self->tf));
	EXPECT_EQ(0U, server_requests(self->sb.server, FUSE_READ));
}

SUITE_MAIN()
