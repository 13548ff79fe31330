// SPDX-License-Identifier: GPL-2.0
/* The libfuse session: which operations there are and how it talks to the device. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server_reply.h"

#define NSEC_PER_SEC 1e9

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct server *srv = userdata;

	conn->max_write = SERVER_MAX_WRITE;
	conn->time_gran = 1;
	/* The umask is applied by the backing file system, which knows default ACLs. */
	if (conn->capable & FUSE_CAP_DONT_MASK)
		conn->want |= FUSE_CAP_DONT_MASK;
	reply_default.negotiate(srv, conn);
}

/*
 * FLUSH, locks and ioctl are missing on purpose. libfuse answers ENOSYS: locks
 * stay in the kernel, and the kernel sends no second FLUSH, so that a dying
 * tester does not wait for a server that dies with it.
 */
static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.access = op_access,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.symlink = op_symlink,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.create = op_create,
	.release = op_release,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
	.copy_file_range = op_copy_file_range,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
};

static ssize_t io_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	return withhold_keep(iov, count) ?: init_reply(userdata, fd, iov, count);
}

/* libfuse insists on it; the loop reads by itself. */
static ssize_t io_read(int fd, void *data, size_t size, void *userdata)
{
	(void)userdata;
	return read(fd, data, size);
}

static const struct fuse_custom_io io = {
	.writev = io_writev,
	.read = io_read,
};

static int open_root(struct server *srv)
{
	struct stat st;
	int fd = dup(srv->root);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		int error = errno;

		close(fd);
		return -error;
	}
	inode_set_root(srv->inodes, fd, &st);
	return 0;
}

int session_create(struct server *srv)
{
	char *name = "fuse_selftest";
	struct fuse_args args = FUSE_ARGS_INIT(1, &name);
	int ret;

	ret = open_root(srv);
	if (ret)
		return ret;
	srv->session = fuse_session_new(&args, &ops, sizeof(ops), srv);
	fuse_opt_free_args(&args);
	if (!srv->session)
		return -ENOMEM;
	return fuse_session_custom_io(srv->session, &io, srv->device);
}

void session_destroy(struct server *srv)
{
	if (srv->session)
		fuse_session_destroy(srv->session);	/* closes the device */
	else if (srv->device >= 0)
		close(srv->device);
	srv->session = NULL;
	srv->device = -1;
	/* The table is shared, the numbers in it are the descriptors of who served. */
	if (!srv->opt.own_process)
		inode_table_close(srv->inodes);
}

void session_process(struct server *srv, struct buffer *buf)
{
	struct fuse_buf request = { .mem = buf->data, .size = buf->size };

	fuse_session_process_buf(srv->session, &request);
}

double attr_timeout(struct server *srv)
{
	return atomic_load(&srv->ctl->attr_ns) / NSEC_PER_SEC;
}

double entry_timeout(struct server *srv)
{
	return atomic_load(&srv->ctl->entry_ns) / NSEC_PER_SEC;
}
