/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the FUSE protocol that passthrough needs, whatever the age of the
 * installed <linux/fuse.h>: layouts get names of their own, constants are only
 * defined where the header has none.
 *
 * Two ABIs are spoken. "Mainline" is Linux 6.9 and later: FUSE_PASSTHROUGH in
 * INIT, FOPEN_PASSTHROUGH and a backing id in the open reply, an id lives until
 * BACKING_CLOSE. "V12" is the out-of-tree series of January 2021: another INIT
 * bit, no open flag, a number at the same place of the reply that is used up by
 * one open, and an ioctl with the very number and size of mainline's
 * BACKING_OPEN but another argument. So only the INIT flags can tell them apart.
 */
#ifndef FUSE_SELFTEST_ABI_H
#define FUSE_SELFTEST_ABI_H

#include <assert.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <linux/fuse.h>

/* --- INIT -------------------------------------------------------------- */

#ifndef FUSE_PASSTHROUGH
#define FUSE_PASSTHROUGH		0x2000000000ULL	/* bit 37 */
#endif
#ifndef FUSE_DIRECT_IO_ALLOW_MMAP
#define FUSE_DIRECT_IO_ALLOW_MMAP	0x1000000000ULL	/* bit 36 */
#endif

/*
 * The V12 series took the first bit that was free in its time. Mainline gave
 * the same bit to FUSE_SETXATTR_EXT in protocol 7.33.
 */
#define FUSE_V12_LAST_MINOR		32
#define FUSE_V12_PASSTHROUGH		0x20000000ULL	/* bit 29 */

/* First bytes of the INIT request's body; flags2 is there with FUSE_INIT_EXT. */
struct abi_init_in {
	uint32_t major;
	uint32_t minor;
	uint32_t max_readahead;
	uint32_t flags;
	uint32_t flags2;
};

/* Body of the INIT reply since protocol 7.23; older kernels take a prefix. */
struct abi_init_out {
	uint32_t major;
	uint32_t minor;
	uint32_t max_readahead;
	uint32_t flags;
	uint16_t max_background;
	uint16_t congestion_threshold;
	uint32_t max_write;
	uint32_t time_gran;
	uint16_t max_pages;
	uint16_t map_alignment;
	uint32_t flags2;
	uint32_t max_stack_depth;
	uint32_t unused[6];
};

static_assert(sizeof(struct abi_init_out) == 64, "fuse_init_out is 64 bytes");

/* --- OPEN and CREATE --------------------------------------------------- */

#ifndef FOPEN_PASSTHROUGH
#define FOPEN_PASSTHROUGH		0x80
#endif

struct abi_open_out {
	uint64_t fh;
	uint32_t open_flags;
	int32_t backing_id;		/* V12: passthrough_fh, unsigned */
};

struct abi_create_out {
	struct fuse_entry_out entry;
	struct abi_open_out open;
};

static_assert(sizeof(struct abi_open_out) == 16, "fuse_open_out is 16 bytes");
static_assert(sizeof(struct abi_create_out) == 144, "no padding between the two");

/* --- opcodes ----------------------------------------------------------- */

/* Since 6.18; FUSE_COPY_FILE_RANGE where the server does not know it */
#define ABI_COPY_FILE_RANGE_64		53

/* --- backing files ----------------------------------------------------- */

/* Argument of FUSE_DEV_IOC_BACKING_OPEN, named fuse_backing_map in 6.9 */
struct abi_backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};

/* V12's argument of the ioctl with the same number; len is 0 */
struct abi_v12_passthrough_out {
	uint32_t fd;
	uint32_t len;
	void *vec;
};

#define ABI_BACKING_OPEN	_IOW(229, 1, struct abi_backing_map)
#define ABI_BACKING_CLOSE	_IOW(229, 2, uint32_t)
#define ABI_V12_PASSTHROUGH_OPEN _IOW(229, 1, struct abi_v12_passthrough_out)

#endif /* FUSE_SELFTEST_ABI_H */
