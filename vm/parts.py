#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run several guests at once, each with its part of the tests, as if they were one.

usage: parts.py --dir DIR GUEST ... [-- OPTION ...]

GUEST is a directory prepared for one guest: its "command", words ending in NUL, and
its ports. vm/watch.py runs it there, with the OPTIONs. All were given the same
programs, and each runs the tests of its backing file systems (FUSE_TEST_PART):
what the guests say of a program becomes one block of KTAP as soon as all have
finished it. DIR receives ktap.log, console.log, dmesg.txt and guest.json of all.

The program that a guest died in has no result line, as with one guest. Those after it
have what the other guests say; that one is gone is for vm/verdict.py to tell.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

TOP = pathlib.Path(__file__).resolve().parent
OUTER = re.compile(r"^(ok|not ok) \d+ ")
OUTER_SKIP = re.compile(r"^ok \d+ .* # SKIP\b")
PLAN = re.compile(r"^# 1\.\.(\d+)")
INNER = re.compile(r"^(# (?:ok|not ok) )\d+ ")
SUM = re.compile(r"^# # (PASSED|FAILED|Totals): ?")
HEAD = re.compile(r"^# (timeout set to |selftests: |TAP version )")
SHARED = ("console.log", "dmesg.txt")


class Part:
    """One guest: its KTAP as blocks, one a program."""

    def __init__(self, directory, options):
        self.directory = directory
        self.head = []              # before the first program
        self.blocks = []
        self.complete = 0           # blocks with their result line
        self.ended = False
        command = (directory / "command").read_bytes().decode().split("\0")[:-1]
        ports = [word for path in sorted(directory.glob("port.*"))
                 for word in ("--port", str(path))]
        self.watch = subprocess.Popen(
            [sys.executable, TOP / "watch.py", "--dir", directory, *ports, *options, "--",
             *command], stdout=subprocess.PIPE, text=True, errors="replace")

    def line(self, text):
        if not self.blocks and not text.startswith("# ") and not OUTER.match(text):
            self.head.append(text)
            return
        if len(self.blocks) == self.complete:
            self.blocks.append([])
        self.blocks[-1].append(text)
        self.complete += bool(OUTER.match(text))


def plan_of(block):
    """Number of tests a block announces, None if it does not."""
    return next((int(found[1]) for found in map(PLAN.match, block) if found), None)


def add(lines):
    """One line with the sums of the numbers of lines that differ only in them."""
    sums = map(sum, zip(*(map(int, re.findall(r"\d+", line)) for line in lines)))
    worst = next((line for line in lines if "FAILED" in line), lines[0])
    return re.sub(r"\d+", lambda _: str(next(sums)), worst)


def worst_of(results):
    """What the program comes to: failed if it did in one guest, skipped if in all."""
    return next((line for line in results if line.startswith("not ok")),
                next((line for line in results if not OUTER_SKIP.match(line)), results[0]))


def put_together(blocks):
    """One block of what the guests have of a program."""
    finished = all(OUTER.match(block[-1]) for block in blocks)
    used = [block for block in blocks if plan_of(block) != 0] if finished else blocks
    if finished and len(used) < 2:
        return (used or blocks)[0]
    lines, sums, results, number = [], {}, [], 0
    for index, block in enumerate(used):
        for line in block:
            total = SUM.match(line)
            if OUTER.match(line):
                results.append(line)
            elif total:
                sums.setdefault(total[1] == "Totals", []).append(line)
            elif PLAN.match(line):
                if index == 0:
                    lines.append(f"# 1..{sum(plan_of(block) or 0 for block in used)}")
            elif INNER.match(line):
                number += 1
                lines.append(INNER.sub(rf"\g<1>{number} ", line))
            elif index == 0 or not HEAD.match(line):
                lines.append(line)
    lines += [add(sums[key]) for key in sorted(sums)]
    return lines + ([worst_of(results)] if finished else [])


class Parts:
    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.log = open(args.dir / "ktap.log", "w", encoding="utf-8")
        self.done = 0       # blocks that were printed
        self.parts = []

    def say(self, lines):
        text = "".join(line + "\n" for line in lines)
        self.log.write(text)
        self.log.flush()
        if self.args.quiet:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:     # nobody looks any more; the verdict still counts
            self.args.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def print_ready(self):
        """The programs that no guest is still to finish."""
        while any(len(part.blocks) > self.done for part in self.parts):
            if any(part.complete <= self.done and not part.ended for part in self.parts):
                return
            if not self.done:
                self.say(next((part.head for part in self.parts if part.head), []))
            self.say(put_together([part.blocks[self.done] for part in self.parts
                                   if len(part.blocks) > self.done]))
            self.done += 1

    def follow(self, part):
        for text in part.watch.stdout:
            with self.lock:
                part.line(text.rstrip("\n"))
                self.print_ready()
        with self.lock:
            part.ended = True
            self.print_ready()

    def run(self, options):
        for guest in self.args.guest:
            self.parts.append(Part(guest, options))
        threads = [threading.Thread(target=self.follow, args=[part]) for part in self.parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        failed = [part for part in self.parts if part.watch.wait()]
        self.log.close()
        return 1 if failed else 0

    def stop(self):
        """No guest is left behind."""
        for part in self.parts:
            part.watch.terminate()
        for part in self.parts:
            part.watch.wait()

    def keep(self):
        """The logs of all in one, for people."""
        for name in SHARED:
            with open(self.args.dir / name, "w", encoding="utf-8") as out:
                for number, part in enumerate(self.parts, 1):
                    out.write(f"==== guest {number} of {len(self.parts)} ====\n")
                    out.write((part.directory / name).read_text(errors="replace"))
        records = [json.loads((part.directory / "guest.json").read_text())
                   for part in self.parts]
        (self.args.dir / "guest.json").write_text(json.dumps({"guests": records}, indent=1))


def interrupted(number, _frame):
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main():
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, options = arguments[:cut], arguments[cut + 1:]
    parser = argparse.ArgumentParser(description="run guests as if they were one")
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("guest", type=pathlib.Path, nargs="+")
    args = parser.parse_args(arguments)
    args.quiet = "--quiet" in options
    signal.signal(signal.SIGTERM, interrupted)
    parts = Parts(args)
    try:
        # The blocks are made of what watch.py prints.
        status = parts.run([option for option in options if option != "--quiet"])
    finally:
        parts.stop()
    if not status:
        parts.keep()
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"parts.py: {error}")
