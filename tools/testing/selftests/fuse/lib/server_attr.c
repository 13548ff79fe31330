// SPDX-License-Identifier: GPL-2.0
/* Attributes and extended attributes. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "server_fuse.h"

static void reply_attr(fuse_req_t req, fuse_ino_t ino)
{
	struct stat st;

	if (fstatat(ino_fd(req, ino), "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		fuse_reply_err(req, errno);
	else
		fuse_reply_attr(req, &st, attr_timeout(req_server(req)));
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	reply_attr(req, ino);
}

static int set_owner(int fd, const struct stat *attr, int to_set)
{
	uid_t uid = to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1;
	gid_t gid = to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

static int set_size(int fd, const struct stat *attr, const struct fuse_file_info *fi)
{
	if (fi)
		return ftruncate(fh_fd(fi), attr->st_size);
	return truncate(fd_path(fd).name, attr->st_size);
}

static struct timespec wanted_time(const struct timespec *given, int to_set, int set, int now)
{
	if (to_set & now)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	if (to_set & set)
		return *given;
	return (struct timespec){ .tv_nsec = UTIME_OMIT };
}

static int set_times(int fd, const struct stat *attr, int to_set)
{
	const struct timespec times[] = {
		wanted_time(&attr->st_atim, to_set, FUSE_SET_ATTR_ATIME,
			    FUSE_SET_ATTR_ATIME_NOW),
		wanted_time(&attr->st_mtim, to_set, FUSE_SET_ATTR_MTIME,
			    FUSE_SET_ATTR_MTIME_NOW),
	};

	/* Not utimensat(): the C library refuses AT_EMPTY_PATH's kin in old versions. */
	return syscall(SYS_utimensat, fd, "", times, AT_EMPTY_PATH);
}

#define SET_OWNER (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)
#define SET_TIMES (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | \
		   FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW)

/* Size before times, which the change of size moves; owner before mode, whose suid it clears. */
static int set_all(int fd, const struct stat *attr, int to_set, const struct fuse_file_info *fi)
{
	int failed = 0;

	if (to_set & SET_OWNER)
		failed = set_owner(fd, attr, to_set);
	if (!failed && to_set & FUSE_SET_ATTR_MODE)
		failed = chmod(fd_path(fd).name, attr->st_mode);
	if (!failed && to_set & FUSE_SET_ATTR_SIZE)
		failed = set_size(fd, attr, fi);
	if (!failed && to_set & SET_TIMES)
		failed = set_times(fd, attr, to_set);
	return failed;
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		struct fuse_file_info *fi)
{
	if (set_all(ino_fd(req, ino), attr, to_set, fi))
		fuse_reply_err(req, errno);
	else
		reply_attr(req, ino);
}

void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	int fd = ino_fd(req, ino);
	long failed;

	caller_begin(req);
	failed = syscall(SYS_faccessat2, fd, "", mask, AT_EMPTY_PATH | AT_EACCESS);
	caller_end(req);
	fuse_reply_err(req, failed ? errno : 0);
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
		 size_t size, int flags)
{
	int failed = setxattr(fd_path(ino_fd(req, ino)).name, name, value, size, flags);

	fuse_reply_err(req, failed ? errno : 0);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	int failed = removexattr(fd_path(ino_fd(req, ino)).name, name);

	fuse_reply_err(req, failed ? errno : 0);
}

/* @size 0 asks for the size alone. */
static void reply_value(fuse_req_t req, size_t size, const struct buffer *buf, ssize_t got)
{
	if (got < 0)
		fuse_reply_err(req, errno);
	else if (!size)
		fuse_reply_xattr(req, got);
	else
		fuse_reply_buf(req, buf->data, got);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct server *srv = req_server(req);
	struct buffer *buf = buffer_take(&srv->buffers);

	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	reply_value(req, size, buf,
		    getxattr(fd_path(ino_fd(req, ino)).name, name, buf->data, size));
	buffer_put(&srv->buffers, buf);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct server *srv = req_server(req);
	struct buffer *buf = buffer_take(&srv->buffers);

	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	reply_value(req, size, buf,
		    listxattr(fd_path(ino_fd(req, ino)).name, buf->data, size));
	buffer_put(&srv->buffers, buf);
}
