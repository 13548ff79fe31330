# SPDX-License-Identifier: GPL-2.0
"""Find in a kernel log what a healthy kernel does not say, and which test it said it in."""

import re
from dataclasses import dataclass

STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[[^\]]*\])?\s?")
MARK = re.compile(r"fuse-selftest: (.*)$")
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")


@dataclass
class Splat:
    line: str
    during: str     # "boot" or what the last mark said
    count: int = 1


def patterns(path):
    """Expressions of a list; the part after a tab is the reason of an allow entry."""
    found = []
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            expression, _, reason = line.rstrip("\n").partition("\t")
            if not expression or expression.startswith("#"):
                continue
            try:
                found.append((re.compile(expression), reason))
            except re.error as error:
                raise ValueError(f"{path}:{number}: {error}") from error
    return found


def scan(lines, deny, allow):
    """Every distinct splat once, in order; lines of one that repeats are counted."""
    splats, seen, during = [], {}, "boot"
    for line in lines:
        text = STAMP.sub("", line.rstrip("\n"))
        mark = MARK.match(text)
        if mark:
            during = mark[1]
            continue
        if not any(p.match(text) for p, _ in deny) or any(p.match(text) for p, _ in allow):
            continue
        key = (re.sub(r"0x[0-9a-f]+|\d+", "N", text), during)
        if key in seen:
            seen[key].count += 1
        else:
            seen[key] = Splat(text, during)
            splats.append(seen[key])
    return splats


def panic(lines):
    for line in lines:
        found = PANIC.search(line)
        if found:
            return found[1].strip()
    return None
