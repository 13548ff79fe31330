#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Replay the story the suite was born from, on real kernels.

usage: seed.py [--out DIR] [--jobs N]

Builds the kernels of KERNELS as user-mode Linux, runs coherency and timestamps
on each (run_vm.sh) and prints one table, kernel by property.

Exit: 0 every verdict is the expected one, 1 one is not, 2 wrong use,
130 interrupted, 200 trouble of the machine or of run_vm.sh.
"""

import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(TOP, "vm"))
import ktap                                             # noqa: E402 pylint: disable=C0413

EXIT_OK, EXIT_UNEXPECTED, EXIT_INTERRUPTED, EXIT_TROUBLE = 0, 1, 130, 200
RUN_VERDICTS = (0, 1, 4)        # run_vm.sh: pass, failure, all skipped
# One is enough here, but not tmpfs, which does not keep the rules of T by itself.
BACKING = "ext4"
PROGRAMS = ("coherency", "timestamps")
RUN_LIMIT = 600                 # seconds, of one guest
EXCERPT = 8                     # lines shown of what a failing test said

# Rows of the catalogue and the tests that decide them.
PROPERTIES = {
    "C1": ("write_reaches_every_view",),
    "C2": ("store_reaches_every_view",),
    "C3": ("no_view_returns_to_an_older_value",),
    "C4": ("incoherence_of_cached_mode_is_noticed",),
    "C5": ("fuse_inode_caches_no_page", "direct_passthrough_asks_the_server"),
    "C9": ("forked_child_shares_the_mapping",),
    "C10": ("mapping_survives_what_happens_around_it",),
    "C11": ("mapping_outlives_close_and_passthrough_reopens",
            "mapping_outlives_close_and_cached_reopens"),
    "T1": ("mmap_moves_neither_mtime_nor_ctime",),
    "T2": ("store_moves_times_seen_uncached", "store_moves_times_seen_by_force_sync",
           "store_moves_times_seen_while_cached"),
    "T3": ("cleaned_page_owes_new_times",),
}
PASS, FAIL, SKIP, NONE = "pass", "FAIL", "SKIP", "none"
ALL_PASS = {name: PASS for name in PROPERTIES}
ALL_SKIP = {name: SKIP for name in PROPERTIES}


@dataclass
class Kernel:
    name: str
    source: str
    patches: tuple
    expected: dict
    # For a property that must fail: what the test has to say.
    says: dict = field(default_factory=dict)
    # Why everything is skipped.
    reason: str = ""
    error: str = ""
    summary: dict = field(default_factory=dict)
    logs: dict = field(default_factory=dict)


V12 = tuple(f"kernels/v12/{name}.patch" for name in (
    "0001-fuse-speak-protocol-7.32", "0002-fuse-hand-over-a-lower-file",
    "0003-fuse-read-and-write-the-lower-file", "0004-fuse-map-the-lower-file",
    "0005-fuse-copy-times-at-mmap"))
# Two page caches: what is written is not in the mapping, what is stored not in the file.
# T1 moves no time there, but refuses to judge a passthrough whose data the server serves.
SPLIT = {name: FAIL for name in PROPERTIES if name != "C4"} | {"C4": PASS}
SPLIT_SAYS = {"C1": r"INCOHERENT: .* by load through M.*\n.* is not .* write through F",
              "C2": r"INCOHERENT: .* by \w*read\w* through F.*\n.* is not .* store through M",
              "T1": r"Expected 0U .* FUSE_READ"}

# 6.1 has no cachestat(2), V12 no FOPEN_DIRECT_IO beside passthrough.
V12_PASS = ALL_PASS | {"C5": SKIP}

KERNELS = (
    Kernel("6.1 + V12, mmap not diverted", "6.1", V12[:3], SPLIT, says=SPLIT_SAYS),
    Kernel("6.1 + V12, 8/8 as posted", "6.1", V12, V12_PASS | {"T1": FAIL},
           says={"T1": r"TIMES MOVED by mmap"}),
    Kernel("6.1 + V12, 8/8 without the copy", "6.1", V12[:4], V12_PASS),
    Kernel("6.1 of Debian", "6.1", (), ALL_SKIP, reason="no FUSE passthrough"),
    Kernel("6.12, mmap diversion removed", "6.12",
           ("kernels/reversed/0001-fuse-do-not-divert-mmap.patch",),
           SPLIT, says=SPLIT_SAYS),
)


class Trouble(Exception):
    pass


def say(text):
    print(f"[{time.monotonic() - START:4.0f} s] {text}", file=sys.stderr, flush=True)


def run_once(kernel, where):
    """One run of the guest, its results in directory @where."""
    summary = os.path.join(where, "summary.json")
    command = [os.path.join(TOP, "run_vm.sh"), "--source", kernel.source, "--engine", "uml",
               "--fs", BACKING, "--timeout", str(RUN_LIMIT), "--out", where]
    for patch in kernel.patches:
        command += ["--patch", os.path.join(TOP, patch)]
    for program in PROGRAMS:
        command += ["--test", program]
    if os.path.exists(summary):
        os.remove(summary)      # run_vm.sh writes it last: where it is, all is
    with open(os.path.join(where, "run.log"), "w", encoding="utf-8") as log:
        with subprocess.Popen(command, stdout=log, stderr=log, env=ENVIRONMENT) as child:
            CHILDREN.append(child)
            status = child.wait()
    if status not in RUN_VERDICTS or not os.path.exists(summary):
        raise Trouble(f"run_vm.sh said {status}, see {where}/run.log")
    with open(summary, encoding="utf-8") as source:
        kernel.summary = json.load(source)


def report_is_whole(kernel):
    """Did all arrive that the guest sent? If not, it is no verdict on the kernel."""
    return not any("wrong end marker" in problem["what"] for problem in kernel.summary["problems"])


def run(kernel, out):
    """Run and keep what the tests said, in a directory named after the kernel."""
    where = os.path.join(out, re.sub(r"[^a-z0-9.]+", "-", kernel.name.lower()))
    os.makedirs(where, exist_ok=True)
    say(f"{kernel.name}: building and running, see {where}/run.log")
    run_once(kernel, where)
    if not report_is_whole(kernel):
        say(f"{kernel.name}: lines of the report were lost, running again")
        run_once(kernel, where)
    with open(os.path.join(where, "ktap.log"), encoding="utf-8", errors="replace") as source:
        for program in ktap.read(source).programs:
            for test in program.tests:
                kernel.logs.setdefault(short(test.name), []).extend(test.log)
    say(f"{kernel.name}: done")


def short(name):
    """fixture.variant.test, without what stands before the last dot."""
    return name.rpartition(".")[2]


def seen(kernel, name):
    """What the tests of property @name found: FAIL if any did, SKIP if all skipped."""
    outcomes = {test["outcome"] for test in kernel.summary["tests"]
                if short(test["name"]) in PROPERTIES[name]}
    if not outcomes:
        programs = {program["outcome"] for program in kernel.summary["programs"]}
        return SKIP if programs == {ktap.SKIP} else NONE
    if ktap.FAIL in outcomes:
        return FAIL
    return SKIP if outcomes == {ktap.SKIP} else PASS


def words(kernel, name):
    """What the tests of @name said, from the words that must be there on; or nothing."""
    lines = [line.removeprefix("# ") for test in PROPERTIES[name]
             for line in kernel.logs.get(test, ())]
    text = "\n".join(lines)
    found = re.search(kernel.says[name], text)
    return text[found.start():].split("\n")[:EXCERPT] if found else []


def wrong(kernel):
    """Every way in which this kernel's run is not as expected."""
    for name, expected in kernel.expected.items():
        verdict = seen(kernel, name)
        if verdict != expected:
            yield f"{name} is {verdict}, expected {expected}"
        elif name in kernel.says and not words(kernel, name):
            yield f"{name} fails without saying '{kernel.says[name]}'"
    reasons = [item["reason"] for item in kernel.summary["programs"] + kernel.summary["tests"]
               if item["outcome"] == ktap.SKIP]
    if kernel.reason and not all(kernel.reason in reason for reason in reasons):
        yield f"skips without naming '{kernel.reason}'"
    for problem in kernel.summary["problems"]:
        yield f"{problem['where']}: {problem['what']}"


def print_table():
    width = max(len(kernel.name) for kernel in KERNELS)
    print(f"\n{'kernel':{width}}  " + "  ".join(f"{name:5}" for name in PROPERTIES))
    for kernel in KERNELS:
        cells = []
        for name in PROPERTIES:
            verdict = seen(kernel, name) if kernel.summary else NONE
            cells.append(f"{verdict + ('' if verdict == kernel.expected[name] else '!'):5}")
        print(f"{kernel.name:{width}}  " + "  ".join(cells))
    print("'!': not the expected verdict\n")


def print_words():
    for kernel in KERNELS:
        for name in kernel.says:
            if kernel.summary and seen(kernel, name) == FAIL:
                print(f"{name} on {kernel.name}:")
                print("".join(f"    {line}\n" for line in words(kernel, name)))
        if kernel.reason and kernel.summary:
            texts = {p["reason"] for p in kernel.summary["programs"] if p["reason"]}
            print(f"{kernel.name}: " + "; ".join(sorted(texts)) + "\n")


def judge():
    """Print what was found; True if all of it was expected."""
    print_table()
    print_words()
    fine = True
    for kernel in KERNELS:
        complaints = [kernel.error] if kernel.error else list(wrong(kernel))
        for complaint in complaints:
            fine = False
            print(f"UNEXPECTED on {kernel.name}: {complaint}")
    print("seed: as expected" if fine else "seed: NOT as expected",
          f"({len(KERNELS)} kernels, {time.monotonic() - START:.0f} s)")
    return fine


def options():
    cache = os.environ.get("FUSE_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fuse-selftests")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", default=os.path.join(cache, "seed"), help="directory of results")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="guests at a time")
    return parser.parse_args()


def run_all(args):
    """Run every kernel; what went wrong with one is kept in its error."""
    pool = concurrent.futures.ThreadPoolExecutor(max(1, args.jobs))
    try:
        runs = {pool.submit(run, kernel, args.out): kernel for kernel in KERNELS}
        for done in concurrent.futures.as_completed(runs):
            try:
                done.result()
            except (Trouble, OSError, ValueError) as error:
                runs[done].error = str(error)
    except KeyboardInterrupt:
        for child in CHILDREN:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def main():
    args = options()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        os.makedirs(args.out, exist_ok=True)
    except OSError as error:
        print(f"seed: cannot make {args.out}: {error.strerror}", file=sys.stderr)
        return EXIT_TROUBLE
    run_all(args)
    fine = judge()
    if any(kernel.error for kernel in KERNELS):
        return EXIT_TROUBLE
    return EXIT_OK if fine else EXIT_UNEXPECTED


CHILDREN = []
# What make(1) says to makes below it is not meant for the kernel's.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
START = time.monotonic()
if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
