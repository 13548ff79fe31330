/* SPDX-License-Identifier: GPL-2.0 */
/* libfuse as the operations use it, at the oldest supported API level. */
#ifndef FUSE_SELFTEST_SERVER_FUSE_H
#define FUSE_SELFTEST_SERVER_FUSE_H

#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>

#include "server_internal.h"

/* 3.17 has the passthrough API; before, replies are made by hand. */
#define SERVER_LIBFUSE_PASSTHROUGH (FUSE_VERSION >= 317)

/*
 * fi->fh of an open file: the descriptor, and whether it counts among the users
 * of the inode's backing id. No memory to allocate, none to race for.
 */
#define FH_BACKED 0x100000000ULL

static inline int fh_fd(const struct fuse_file_info *fi)
{
	return (int)(uint32_t)fi->fh;
}

/* "/proc/self/fd/N": reaches what an O_PATH descriptor refuses */
struct fd_path {
	char name[32];
};

struct fd_path fd_path(int fd);

static inline struct server *req_server(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline int ino_fd(fuse_req_t req, fuse_ino_t ino)
{
	return inode_fd(req_server(req)->inodes, ino);
}

double attr_timeout(struct server *srv);
double entry_timeout(struct server *srv);

/*
 * Fill @e for @name in @parent and take one reference: 0 or -errno. Reply with
 * it, or give it back with entry_drop().
 */
int entry_lookup(struct server *srv, fuse_ino_t parent, const char *name,
		 struct fuse_entry_param *e);
/* The same for the file open as @fd, which is kept. */
int entry_of_file(struct server *srv, int fd, struct fuse_entry_param *e);
void entry_drop(struct server *srv, const struct fuse_entry_param *e);

/*
 * Act as the caller of @req, with its identity and umask, so that what is
 * created belongs to it and the backing file system decides. Always followed by
 * caller_end(), which keeps errno.
 */
void caller_begin(fuse_req_t req);
void caller_end(fuse_req_t req);

/* --- server_attr.c --- */
void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		struct fuse_file_info *fi);
void op_access(fuse_req_t req, fuse_ino_t ino, int mask);
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
		 size_t size, int flags);
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/* --- server_name.c --- */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void op_readlink(fuse_req_t req, fuse_ino_t ino);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
	       const char *newname, unsigned int flags);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname);

/* --- server_dir.c --- */
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void op_statfs(fuse_req_t req, fuse_ino_t ino);

/* --- server_open.c --- */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* --- server_file.c --- */
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
	      struct fuse_file_info *fi);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		  struct fuse_file_info *fi);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
	      struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
			struct fuse_file_info *fi_out, size_t len, int flags);

#endif /* FUSE_SELFTEST_SERVER_FUSE_H */
