#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write an initramfs (cpio, "newc" format) that depends on the contents alone.

usage: cpio.py OUTPUT < LIST
       cpio.py --extract ARCHIVE      unpack into the current directory, as the kernel does

One entry a line on standard input; parents come before children:
    dir  /path
    node /path MAJOR MINOR
    file /path MODE SOURCE
    link /path TARGET

Neither root nor time stamps nor inode numbers of the host are involved, so the
same contents give the same bytes (Documentation/driver-api/early-userspace/
buffer-format.rst describes the format).
"""

import os
import stat
import sys

TRAILER = "TRAILER!!!"
HEADER_SIZE = 110


class Archive:
    def __init__(self, out):
        self.out = out
        self.inode = 0

    def _pad(self, length):
        self.out.write(b"\0" * (-length % 4))

    def add(self, name, mode, data=b"", device=(0, 0)):
        encoded = name.lstrip("/").encode() + b"\0"
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0,
                  device[0], device[1], len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % f for f in fields)
        self.out.write(header + encoded)
        self._pad(len(header) + len(encoded))
        self.out.write(data)
        self._pad(len(data))


def add_entry(archive, line):
    words = line.split()
    kind, path, rest = words[0], words[1], words[2:]
    if kind == "dir":
        archive.add(path, 0o040755)
    elif kind == "node":
        archive.add(path, 0o020600, device=(int(rest[0]), int(rest[1])))
    elif kind == "file":
        with open(rest[1], "rb") as source:
            archive.add(path, 0o100000 | int(rest[0], 8), source.read())
    elif kind == "link":
        archive.add(path, 0o120777, rest[0].encode())
    else:
        raise ValueError(f"unknown entry: {line.strip()}")


def entries(data):
    """(name, mode, contents) of every entry of all archives in @data."""
    at = 0
    while at < len(data):
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        at += HEADER_SIZE
        name = data[at:at + fields[11] - 1].decode()
        at += fields[11] + -(HEADER_SIZE + fields[11]) % 4
        if name != TRAILER:
            yield name, fields[1], data[at:at + fields[6]]
        at += fields[6] + -fields[6] % 4


def extract(path):
    """Device nodes are left out: the guest's init mounts a devtmpfs."""
    with open(path, "rb") as source:
        data = source.read()
    for name, mode, contents in entries(data):
        if stat.S_ISDIR(mode):
            os.makedirs(name, exist_ok=True)
        elif stat.S_ISLNK(mode):
            os.symlink(contents.decode(), name)
        elif stat.S_ISREG(mode):
            with open(name, "wb") as out:
                out.write(contents)
            os.chmod(name, stat.S_IMODE(mode))


def main():
    if sys.argv[1] == "--extract":
        extract(sys.argv[2])
        return
    path = sys.argv[1]
    partial = f"{path}.{os.getpid()}"
    try:
        with open(partial, "wb") as out:
            archive = Archive(out)
            for line in sys.stdin:
                if line.strip():
                    add_entry(archive, line)
            archive.add(TRAILER, 0)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"cpio.py: {error}")
