// SPDX-License-Identifier: GPL-2.0
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

#define RECORD_SIZE	8192	/* Documentation/ABI/testing/dev-kmsg: one read, one record */
#define MARK		"fuse-selftest: "
#define LEVEL_INFO	"<6>"

static int log_fd = -1;
static int mark_fd = -1;

int kmsg_open(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0)
		return -errno;
	mark_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	return log_fd;
}

/* "prio,seq,usec,flags;text\n KEY=value\n": what dmesg(1) shows of it. */
static void relay_record(char *record)
{
	unsigned long long usec = 0;
	char *text = strchr(record, ';');

	if (!text || sscanf(record, "%*u,%*u,%llu", &usec) != 1)
		return;
	text++;
	text[strcspn(text, "\n")] = '\0';
	wire_dmesg("[%5llu.%06llu] %s", usec / 1000000, usec % 1000000, text);
}

void kmsg_relay(void)
{
	char record[RECORD_SIZE];
	ssize_t n;

	for (;;) {
		n = read(log_fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE) {
			wire_event("dmesg-lost");
			continue;
		}
		if (n <= 0)
			return;
		record[n] = '\0';
		relay_record(record);
	}
}

void kmsg_mark(const char *what)
{
	char line[512];
	int len;

	len = snprintf(line, sizeof(line), LEVEL_INFO MARK "%s\n", what);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (mark_fd >= 0 && write(mark_fd, line, len) < 0)
		wire_event("dmesg-unmarked");
}

unsigned long kmsg_taint(void)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "re");
	unsigned long taint = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &taint) != 1)
		taint = 0;
	fclose(file);
	return taint;
}
