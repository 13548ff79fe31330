// SPDX-License-Identifier: GPL-2.0
/* Operations on names: lookup, creation, removal, renaming. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server_fuse.h"

struct fd_path fd_path(int fd)
{
	struct fd_path path;

	snprintf(path.name, sizeof(path.name), "/proc/self/fd/%d", fd);
	return path;
}

/* @fd is an O_PATH descriptor, taken over. */
static int entry_of_path_fd(struct server *srv, int fd, struct fuse_entry_param *e)
{
	uint64_t nodeid, generation;

	*e = (struct fuse_entry_param){ 0 };
	if (fstatat(fd, "", &e->attr, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) {
		int error = errno;

		close(fd);
		return -error;
	}
	nodeid = inode_lookup(srv->inodes, fd, &e->attr, &generation);
	if (!nodeid)
		return -ENFILE;
	e->ino = nodeid;
	e->generation = generation;
	e->attr_timeout = attr_timeout(srv);
	e->entry_timeout = entry_timeout(srv);
	return 0;
}

int entry_lookup(struct server *srv, fuse_ino_t parent, const char *name,
		 struct fuse_entry_param *e)
{
	int fd = openat(inode_fd(srv->inodes, parent), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : entry_of_path_fd(srv, fd, e);
}

int entry_of_file(struct server *srv, int fd, struct fuse_entry_param *e)
{
	int path_fd = open(fd_path(fd).name, O_PATH | O_CLOEXEC);

	return path_fd < 0 ? -errno : entry_of_path_fd(srv, path_fd, e);
}

void entry_drop(struct server *srv, const struct fuse_entry_param *e)
{
	inode_forget(srv->inodes, e->ino, 1);
}

static void reply_entry(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct server *srv = req_server(req);
	struct fuse_entry_param e;
	int error = entry_lookup(srv, parent, name, &e);

	if (error)
		fuse_reply_err(req, -error);
	else if (fuse_reply_entry(req, &e) == -ENOENT)
		entry_drop(srv, &e);
}

static void reply_created(fuse_req_t req, fuse_ino_t parent, const char *name, int failed)
{
	if (failed)
		fuse_reply_err(req, errno);
	else
		reply_entry(req, parent, name);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply_entry(req, parent, name);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	inode_forget(req_server(req)->inodes, ino, count);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		inode_forget(req_server(req)->inodes, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_MAX + 1];
	ssize_t len = readlinkat(ino_fd(req, ino), "", target, sizeof(target) - 1);

	if (len < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	target[len] = '\0';
	fuse_reply_readlink(req, target);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	int failed;

	caller_begin(req);
	failed = mknodat(ino_fd(req, parent), name, mode, rdev);
	caller_end(req);
	reply_created(req, parent, name, failed);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	int failed;

	caller_begin(req);
	failed = mkdirat(ino_fd(req, parent), name, mode);
	caller_end(req);
	reply_created(req, parent, name, failed);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	int failed;

	caller_begin(req);
	failed = symlinkat(target, ino_fd(req, parent), name);
	caller_end(req);
	reply_created(req, parent, name, failed);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, unlinkat(ino_fd(req, parent), name, 0) ? errno : 0);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, unlinkat(ino_fd(req, parent), name, AT_REMOVEDIR) ? errno : 0);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
	       const char *newname, unsigned int flags)
{
	int failed = renameat2(ino_fd(req, parent), name, ino_fd(req, newparent), newname, flags);

	fuse_reply_err(req, failed ? errno : 0);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	int failed = linkat(ino_fd(req, ino), "", ino_fd(req, newparent), newname, AT_EMPTY_PATH);

	reply_created(req, newparent, newname, failed);
}
