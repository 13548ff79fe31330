// SPDX-License-Identifier: GPL-2.0
/*
 * The suite's server as a file system of its own, for fio, fsx, xfstests and
 * everything else that wants a directory to work in.
 *
 *	passthrough_mount [-f] [-o options] BACKING MOUNTPOINT
 *
 * The order of options and arguments is free, so that it works as a helper of
 * mount.fuse3, from fstab and from xfstests:
 *
 *	/srv/data  /mnt  fuse.passthrough_mount  mode=passthrough,allow_other  0 0
 *
 * Exit status as in mount(8): 0 mounted (or, with -f, unmounted in good order),
 * 1 wrong usage, 2 system error, 32 cannot be mounted.
 */
#include "mount_tool.h"

int main(int argc, char **argv)
{
	return passthrough_mount(argc, argv);
}
