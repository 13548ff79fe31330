// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "loop.h"

/* Between asking for a free device and taking it somebody else may be faster. */
#define LOOP_ATTEMPTS 64

/*
 * One call attaches and sets LO_FLAGS_AUTOCLEAR (Linux 5.8 and later), so there
 * is no instant at which a kill leaves the device attached.
 */
static int configure(int device, int image, const char *name)
{
	struct loop_config config = {
		.fd = image,
		.block_size = 512,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};

	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", name);
	return ioctl(device, LOOP_CONFIGURE, &config) ? -errno : 0;
}

static int attach_once(int control, int image, const char *name, char *path, size_t len)
{
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	int device, err;

	if (number < 0)
		return -errno;
	snprintf(path, len, "/dev/loop%d", number);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	err = configure(device, image, name);
	if (!err)
		return device;
	close(device);
	return err;
}

int loop_attach(int image, const char *name, char *path, size_t len)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int attempt, device = -EBUSY;

	if (control < 0)
		return -errno;
	for (attempt = 0; attempt < LOOP_ATTEMPTS && device == -EBUSY; attempt++)
		device = attach_once(control, image, name, path, len);
	close(control);
	return device;
}
