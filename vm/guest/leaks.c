// SPDX-License-Identifier: GPL-2.0
#include "leaks.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kmsg.h"
#include "wire.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* mm/kmemleak.c: MSECS_MIN_AGE; an object younger than this is not reported. */
#define YOUNG_SECONDS	6
/* The first scan takes the checksum that the second one compares. */
#define SCANS		2

static void relay(FILE *report)
{
	struct timespec ts;
	char line[512];

	while (fgets(line, sizeof(line), report)) {
		line[strcspn(line, "\n")] = '\0';
		clock_gettime(CLOCK_MONOTONIC, &ts);
		wire_dmesg("[%5lld.%06ld] %s", (long long)ts.tv_sec, ts.tv_nsec / 1000, line);
	}
}

void leaks_report(void)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	FILE *report;

	if (fd < 0)
		return;
	kmsg_mark("the search for leaks");
	sleep(YOUNG_SECONDS);
	for (int i = 0; i < SCANS; i++)
		if (write(fd, "scan", strlen("scan")) < 0)
			wire_event("unwritable %s", KMEMLEAK);
	close(fd);
	report = fopen(KMEMLEAK, "re");
	if (!report)
		return;
	relay(report);
	fclose(report);
}
