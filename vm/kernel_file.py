#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Say what kind of kernel a file is: prints "bzImage VERSION", "vmlinux VERSION" or "uml VERSION".

usage: kernel_file.py FILE

Exits 1 with one line when it is none (Documentation/arch/x86/boot.rst for bzImage).
"""

import re
import sys

BOOT_MAGIC_AT, VERSION_AT, SETUP_SIZE = 0x202, 0x20E, 0x200
BANNER = re.compile(rb"Linux version (\S+) ")
# Words of its own usage text.
UML_SIGN = b"uml_dir=<directory>"


def bzimage_version(head):
    start = int.from_bytes(head[VERSION_AT:VERSION_AT + 2], "little") + SETUP_SIZE
    text = head[start:start + 256].split(b"\0")[0].split()
    return text[0].decode(errors="replace") if text else "unknown"


def describe(path):
    with open(path, "rb") as source:
        data = source.read()
    if data[BOOT_MAGIC_AT:BOOT_MAGIC_AT + 4] == b"HdrS":
        return f"bzImage {bzimage_version(data)}"
    banner = BANNER.search(data)
    if data[:4] != b"\x7fELF" or not banner:
        raise ValueError("is no kernel image (bzImage, vmlinux or a UML executable)")
    kind = "uml" if UML_SIGN in data else "vmlinux"
    return f"{kind} {banner[1].decode(errors='replace')}"


def main():
    path = sys.argv[1]
    try:
        print(describe(path))
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) else error
        sys.exit(f"{path}: {text}")


if __name__ == "__main__":
    main()
