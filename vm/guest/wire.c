// SPDX-License-Identifier: GPL-2.0
#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORT_CLASS	"/sys/class/virtio-ports"
#define PORT_WAIT_MS	2000	/* virtio announces its ports from a work queue */
#define PORT_POLL_MS	10
#define LINE_SIZE	4096

static int port = -1;
static unsigned int ktap_lines;

static int port_has_name(const char *dev, const char *name)
{
	char path[PATH_MAX], seen[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), PORT_CLASS "/%s/name", dev);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(seen, sizeof(seen), file))
		seen[0] = '\0';
	fclose(file);
	seen[strcspn(seen, "\n")] = '\0';
	return !strcmp(seen, name);
}

static int open_named_port(const char *name)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(PORT_CLASS);
	int fd = -ENODEV;

	if (!dir)
		return -ENODEV;
	while (fd < 0 && (entry = readdir(dir))) {
		if (!port_has_name(entry->d_name, name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	closedir(dir);
	return fd;
}

static int wait_named_port(const char *name)
{
	const struct timespec pause = { .tv_nsec = PORT_POLL_MS * 1000000L };
	int fd = -ENODEV;

	if (access(PORT_CLASS, F_OK))
		return -ENODEV;		/* a kernel without virtio_console */
	for (int ms = 0; ms < PORT_WAIT_MS && fd < 0; ms += PORT_POLL_MS) {
		fd = open_named_port(name);
		if (fd < 0)
			nanosleep(&pause, NULL);
	}
	return fd;
}

/* A line discipline would turn "\n" into "\r\n". */
static int open_tty(const char *path)
{
	struct termios tio;
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &tio)) {
		close(fd);	/* a ttyS without hardware behind it opens, but has no settings */
		return -ENODEV;
	}
	cfmakeraw(&tio);
	tcsetattr(fd, TCSANOW, &tio);
	return fd;
}

int wire_open(const char *ports)
{
	char list[256], *save = NULL;

	snprintf(list, sizeof(list), "%s", ports);
	for (char *p = strtok_r(list, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		if (!strncmp(p, "virtio:", 7))
			port = wait_named_port(p + 7);
		else
			port = open_tty(p);
		if (port >= 0)
			return 0;
	}
	return -ENODEV;
}

static void send_line(char kind, const char *format, va_list args)
{
	char line[LINE_SIZE];
	size_t len, sent = 0;

	line[0] = kind;
	line[1] = ' ';
	vsnprintf(line + 2, sizeof(line) - 3, format, args);
	len = strlen(line);
	line[len++] = '\n';
	while (sent < len) {
		ssize_t n = write(port, line + sent, len - sent);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;		/* the host sees that lines are missing */
		if (n > 0)
			sent += n;
	}
}

void wire_ktap(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_line('k', format, args);
	va_end(args);
	ktap_lines++;
}

void wire_dmesg(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_line('d', format, args);
	va_end(args);
}

void wire_event(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_line('e', format, args);
	va_end(args);
}

unsigned int wire_ktap_lines(void)
{
	return ktap_lines;
}

void wire_close(void)
{
	if (isatty(port))
		tcdrain(port);
	close(port);
}
