// SPDX-License-Identifier: GPL-2.0
/*
 * Directories. The stream is read with getdents64() from the position that the
 * kernel asks for, into a buffer of the pool: opendir(3) would allocate.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server_fuse.h"

/* The kernel's struct linux_dirent64 */
struct dirent64_record {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	int fd = openat(ino_fd(req, ino), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = fd;
	if (fuse_reply_open(req, fi) == -ENOENT)
		close(fd);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	close(fh_fd(fi));
	fuse_reply_err(req, 0);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	op_fsync(req, ino, datasync, fi);
}

/* What one READDIR(PLUS) is doing. */
struct listing {
	fuse_req_t req;
	fuse_ino_t parent;
	bool plus;
	char *out;
	size_t size;		/* room in out */
	size_t used;
};

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Adds one entry: its size, more than the room that is left if it did not fit. */
static size_t add(struct listing *list, const struct dirent64_record *record)
{
	char *out = list->out + list->used;
	size_t room = list->size - list->used;
	struct fuse_entry_param e = {
		.attr.st_ino = record->ino,
		.attr.st_mode = DTTOIF(record->type),
	};
	struct server *srv = req_server(list->req);
	bool counted;
	size_t need;

	if (!list->plus)
		return fuse_add_direntry(list->req, out, room, record->name, &e.attr,
					 record->off);

	/* "." and ".." carry no reference, and neither does what just vanished. */
	counted = !is_dot(record->name) &&
		  !entry_lookup(srv, list->parent, record->name, &e);
	need = fuse_add_direntry_plus(list->req, out, room, record->name, &e, record->off);
	if (counted && need > room)
		entry_drop(srv, &e);
	return need;
}

/* False when the reply is full. */
static bool add_records(struct listing *list, const char *in, size_t len)
{
	while (len) {
		const struct dirent64_record *record = (const void *)in;
		size_t need = add(list, record);

		if (need > list->size - list->used)
			return false;
		list->used += need;
		in += record->len;
		len -= record->len;
	}
	return true;
}

static int list_directory(struct listing *list, int fd, off_t off, struct buffer *in)
{
	ssize_t got;

	if (lseek(fd, off, SEEK_SET) < 0)
		return errno;
	do {
		got = syscall(SYS_getdents64, fd, in->data, list->size);
		if (got < 0)
			return list->used ? 0 : errno;
	} while (got && add_records(list, in->data, got));
	return 0;
}

static void readdir_reply(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, int fd,
			  bool plus)
{
	struct server *srv = req_server(req);
	struct buffer *in = buffer_take(&srv->buffers);
	struct listing list = { .req = req, .parent = ino, .plus = plus };
	int error = ENOMEM;

	if (in) {
		/* one half for what is read, the other for what is answered */
		size_t half = srv->buffers.each / 2;

		list.out = in->data + half;
		list.size = size < half ? size : half;
		error = list_directory(&list, fd, off, in);
	}
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_buf(req, list.out, list.used);
	if (in)
		buffer_put(&srv->buffers, in);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi)
{
	readdir_reply(req, ino, size, off, fh_fd(fi), false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	readdir_reply(req, ino, size, off, fh_fd(fi), true);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	if (fstatvfs(ino_fd(req, ino), &st))
		fuse_reply_err(req, errno);
	else
		fuse_reply_statfs(req, &st);
}
