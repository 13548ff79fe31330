# SPDX-License-Identifier: GPL-2.0
"""Find in a kernel log what a healthy kernel does not say, and which test it said it in."""

import re
from dataclasses import dataclass

STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[[^\]]*\])?\s?")
MARK = re.compile(r"fuse-selftest: (.*)$")
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")
REPORT_LINES = 150      # of the log that may belong to one report


@dataclass
class Splat:
    line: str
    during: str     # "boot" or what the last mark said
    known: str = ""     # what is said of it in the list of known ones
    count: int = 1


@dataclass
class Pattern:
    line: re.Pattern
    reason: str = ""
    later: re.Pattern | None = None     # has to follow in the same report

    def fits(self, texts, index):
        if not self.line.match(texts[index]):
            return False
        return self.later is None or any(self.later.search(text)
                                         for text in report(texts, index))


def report(texts, index):
    """The lines after texts[index], up to the next test at most."""
    for text in texts[index + 1:index + REPORT_LINES]:
        if MARK.match(text):
            return
        yield text


def patterns(path):
    """A list's entries: an expression, and behind tabs a reason and one of a later line."""
    found = []
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            expression, reason, later, *_ = line.rstrip("\n").split("\t") + ["", ""]
            if not expression or expression.startswith("#"):
                continue
            try:
                found.append(Pattern(re.compile(expression), reason,
                                     re.compile(later) if later else None))
            except re.error as error:
                raise ValueError(f"{path}:{number}: {error}") from error
    return found


def scan(lines, deny, known):
    """Every distinct splat once, in order; lines of one that repeats are counted."""
    splats, seen, during = [], {}, "boot"
    texts = [STAMP.sub("", line.rstrip("\n")) for line in lines]
    for index, text in enumerate(texts):
        mark = MARK.match(text)
        if mark:
            during = mark[1]
            continue
        if not any(p.fits(texts, index) for p in deny):
            continue
        reasons = [p.reason for p in known if p.fits(texts, index)]
        key = (re.sub(r"0x[0-9a-f]+|\d+", "N", text), during)
        if key in seen:
            seen[key].count += 1
        else:
            seen[key] = Splat(text, during, reasons[0] if reasons else "")
            splats.append(seen[key])
    return splats


def panic(lines):
    for line in lines:
        found = PANIC.search(line)
        if found:
            return found[1].strip()
    return None
