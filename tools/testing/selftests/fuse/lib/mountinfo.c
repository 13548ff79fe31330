// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountinfo.h"
#include "text_file.h"

/*
 * "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": the mount
 * point is the fifth field, the type the first one after the lone dash. Blanks
 * in paths are octal escapes, which sandboxes do not use.
 */
static bool parse_line(char *line, struct mount_entry *entry)
{
	char *dash = strstr(line, " - ");

	if (!dash)
		return false;
	if (sscanf(line, "%d %*u %u:%u %*s %255s", &entry->id, &entry->major, &entry->minor,
		   entry->point) != 4)
		return false;
	return sscanf(dash, " - %63s", entry->type) == 1;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (path[len] == '/' || !path[len]);
}

/* The last entry that @fits for @wanted. */
static bool last(bool (*fits)(const struct mount_entry *candidate, const void *wanted),
		 const void *wanted, struct mount_entry *entry)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	struct mount_entry candidate;
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return false;
	while (getline(&line, &size, file) > 0) {
		if (!parse_line(line, &candidate) || !fits(&candidate, wanted))
			continue;
		*entry = candidate;
		found = true;
	}
	free(line);
	fclose(file);
	return found;
}

static bool lies_below(const struct mount_entry *candidate, const void *dir)
{
	return is_below(candidate->point, dir);
}

bool mountinfo_last_below(const char *dir, struct mount_entry *entry)
{
	return last(lies_below, dir, entry);
}

static bool has_id(const struct mount_entry *candidate, const void *id)
{
	return candidate->id == *(const int *)id;
}

bool mountinfo_of(int fd, struct mount_entry *entry)
{
	char path[48], text[512], *at;
	int id;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	text_file_read(AT_FDCWD, path, text, sizeof(text));
	at = strstr(text, "mnt_id:");
	return at && sscanf(at, "mnt_id: %d", &id) == 1 && last(has_id, &id, entry);
}

bool mount_entry_is_fuse(const struct mount_entry *entry)
{
	return !strcmp(entry->type, "fuse") || !strncmp(entry->type, "fuse.", 5) ||
	       !strcmp(entry->type, "fuseblk");
}
