/* SPDX-License-Identifier: GPL-2.0 */
/* Small files of text in one go: settings in proc, sysfs and cgroups. */
#ifndef FUSE_SELFTEST_TEXT_FILE_H
#define FUSE_SELFTEST_TEXT_FILE_H

#include <stddef.h>

/*
 * @name is as for openat(2), @dir AT_FDCWD or a directory. At most @len - 1 bytes are
 * read, and a null byte follows them. Bytes read or -errno; then @buf is empty.
 */
int text_file_read(int dir, const char *name, char *buf, size_t len);

/* Write @text to a file that is there. 0 or -errno. */
int text_file_write(int dir, const char *name, const char *text);

#endif /* FUSE_SELFTEST_TEXT_FILE_H */
