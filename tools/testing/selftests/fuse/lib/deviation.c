// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "deviation.h"

const struct deviation deviations[] = {
	{
		.id = "D1",
		.what = "stat through FUSE keeps the old mtime and ctime after a mapped store while attributes are cached",
		.kernels = "6.12, 6.18",
		.reference = "fuse_passthrough_mmap() marks only atime stale; xfstests generic/080 and 215 on passthrough, March 2024",
	},
	{
		.id = "D2",
		.what = "a mapping outlives close(): the inode leaves passthrough mode, a cached open is accepted and reads stale data",
		.kernels = "6.12, 6.18",
		.reference = "backing_file_mmap() pins the backing file, not the FUSE file; mmap(2): close() does not unmap",
	},
	{
		.id = "D3",
		.what = "flags that change after open(2) do not reach the backing file: O_APPEND cleared (or RWF_NOAPPEND) still appends, O_DIRECT and O_NOATIME stay as they were",
		.kernels = "6.12, 6.18",
		.reference = "the backing file is opened with the flags of open(2) and keeps them; fcntl(2), F_SETFL; overlayfs copies the flags before each io",
	},
	{
		.id = "D4",
		.what = "passthrough|direct: read and mmap agree, but splice and sendfile read the page cache of FUSE and go stale",
		.kernels = "6.12, 6.18",
		.reference = "fuse_splice_read(): FOPEN_DIRECT_IO overrides FOPEN_PASSTHROUGH and falls to filemap_splice_read()",
	},
	{
		.id = "D5",
		.what = "set-user-ID survives a passthrough write by another user when HANDLE_KILLPRIV(_V2) was negotiated",
		.kernels = "6.12, 6.18",
		.reference = "the kernel leaves it to the server, which sees no write; write(2); xfstests generic/683 to 685",
	},
	{
		.id = "D6",
		.what = "size growth by the server is unseen by stat and SEEK_END while attributes are cached, though reads see the bytes",
		.kernels = "6.12, 6.18",
		.reference = "attributes are the server's to announce: FUSE_NOTIFY_INVAL_INODE; by design, fuse-passthrough.rst",
	},
	{
		.id = "D7",
		.what = "a large direct write with parallel writes allowed and an mmap() of the same file by another thread wait for each other",
		.kernels = "6.12",
		.reference = "fuse_file_mmap() waits for direct io with mmap_lock held, fuse_direct_io() takes it for each request's pages; seen with FUSE_DIRECT_IO_ALLOW_MMAP",
	},
	{
		.id = "D8",
		.what = "fsync succeeds with the backing file dirty when the server has no fsync",
		.kernels = "6.12, 6.18",
		.reference = "fuse_fsync() syncs the empty cache of FUSE and takes ENOSYS for done; fsync(2)",
	},
	{
		.id = "D9",
		.what = "the backing file can be opened for writing while it is being executed through FUSE",
		.kernels = "6.12, 6.18",
		.reference = "exec denies write access to the FUSE inode only; open(2), ETXTBSY",
	},
	{
		.id = "D10",
		.what = "a memfd sealed against writing, as backing file, is stored to through a shared mapping of the FUSE file",
		.kernels = "6.12, 6.18",
		.reference = "do_mmap() looks for seals on the FUSE file, memfd's own mmap looks no more since 6.14 and 6.12.y; fcntl(2), F_SEAL_WRITE",
	},
	{
		.id = "D11",
		.what = "over overlayfs a mapping names the overlayfs file in /proc and does not pin the FUSE mount",
		.kernels = "6.18",
		.reference = "ovl_mmap() sets vm_file once more to a backing file whose user path is overlayfs's, not FUSE's",
	},
	{
		.id = "D12",
		.what = "an asynchronous read of a file that the server reads ends where FUSE last knew its end, though attributes may not be cached and read(2) reads on",
		.kernels = "6.18",
		.reference = "fuse_direct_read_iter() leaves it to fuse_direct_IO(), in 6.12 only with O_DIRECT, which compares with i_size; nobody asks for that first, as fuse_cache_read_iter() does",
	},
	{
		.id = "D13",
		.what = "noatime of the FUSE mount does not keep passthrough reads and mappings from moving atime",
		.kernels = "6.12, 6.18",
		.reference = "only the mount of the backing file is asked, file_accessed() of a backing file; mount(2), MS_NOATIME; xfstests generic/120",
	},
	{
		.id = "D14",
		.what = "BACKING_OPEN succeeds though there is no memory for the registrant's credentials: whoever opens a file with that id crashes the kernel",
		.kernels = "6.12",
		.reference = "fuse_backing_open() does not look at the result of prepare_creds(); later kernels take a reference to the current ones instead",
	},
	{
		.id = "D15",
		.what = "a cached open that waits for parallel direct writes is not told that the file was opened in passthrough mode meanwhile: it hangs, not to be killed, until that one is closed",
		.kernels = "6.12, 6.18",
		.reference = "fuse_inode_uncached_io_start() wakes nobody, fuse_inode_uncached_io_end() only when nobody is left; what fuse_file_cached_io_open() looks for after its wait it never sees",
	},
	{ }
};

const struct deviation *deviation_find(const char *id)
{
	const struct deviation *d;

	for (d = deviations; d->id; d++)
		if (!strcmp(d->id, id))
			return d;
	return NULL;
}

static unsigned long version(const char *text)
{
	unsigned int major, minor;

	return sscanf(text, "%u.%u", &major, &minor) == 2 ? major * 1000UL + minor : 0;
}

bool deviation_is_newer(const struct deviation *d)
{
	struct utsname uts;

	return !uname(&uts) && version(uts.release) < version(d->kernels);
}

bool deviation_strict(void)
{
	const char *strict = getenv("FUSE_STRICT");

	return strict && *strict && strcmp(strict, "0");
}
