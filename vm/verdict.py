#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judge one run, of one guest or several, and write the results.

usage: verdict.py --dir DIR --guest DIR=NONCE ... --deny FILE --known FILE [...]

Reads the KTAP in DIR and what vm/watch.py left of each guest in its directory,
adds junit.xml, summary.json and repro.txt to DIR, and prints the verdict as KTAP
diagnostics. An exit status is never believed alone: a plan that was not kept, no
tests at all, a missing end marker, a splat in the kernel log or a new taint each
make a failure.

Exit: 0 pass, 1 failure, 4 everything was skipped, 5 the kernel never reached
the test init, 6 the emulator itself failed.
"""

import argparse
import json
import os
import sys

import ktap
import results
import splat

EXIT_PASS, EXIT_FAIL, EXIT_SKIP, EXIT_NO_BOOT, EXIT_HOST = 0, 1, 4, 5, 6
VERDICTS = {EXIT_PASS: "PASS", EXIT_FAIL: "FAIL", EXIT_SKIP: "SKIP",
            EXIT_NO_BOOT: "NO BOOT", EXIT_HOST: "HOST TROUBLE"}

# Documentation/admin-guide/tainted-kernels.rst
TAINTS = {0: "proprietary module", 1: "forced module", 4: "machine check", 5: "bad page",
          7: "the kernel died (oops)", 9: "warning", 12: "out-of-tree module",
          13: "unsigned module", 14: "soft lockup"}

# What a UML says on a host it cannot run on: see uml-xstate.patch.
UML_TOO_OLD = "ptrace set fp regs failed"


def lines_of(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as source:
        return source.read().split("\n")


class Guest:
    """What vm/watch.py left of one guest."""

    def __init__(self, directory, nonce, name=""):
        self.directory, self.nonce, self.name = directory, nonce, name
        with open(os.path.join(directory, "guest.json"), encoding="utf-8") as source:
            self.record = json.load(source)
        self.console = lines_of(directory, "console.log")
        self.dmesg = lines_of(directory, "dmesg.txt")

    def events(self, word):
        return [e for e in self.record["events"] if e["word"] == word]

    def running(self):
        """What the guest was doing when it fell silent."""
        program = None
        for event in self.record["events"]:
            if event["word"] == "program":
                program = event["args"][0]
            elif event["word"] == "exit":
                program = None
        if not program:
            return "between the tests"
        for line in reversed(lines_of(self.directory, "ktap.log")):
            if line.startswith("# #  RUN  "):
                return f"{program}: {line[10:].strip().removesuffix(' ...')}"
        return program


class Judge:
    def __init__(self, args):
        self.args = args
        named = [given.rpartition("=") for given in args.guest]
        self.guests = [Guest(directory, nonce, f"guest {n}: " if len(named) > 1 else "")
                       for n, (directory, _, nonce) in enumerate(named, 1)]
        self.run = ktap.read(lines_of(args.dir, "ktap.log"))
        self.problems = []      # (program or "run", text)
        self.known_splats = []  # what is said of them

    def timelines(self):
        """The events of each guest."""
        return [guest.record["events"] for guest in self.guests]

    def problem(self, where, text):
        self.problems.append((where, text))

    def repro(self, program=None, test=None):
        """The command that runs this program, this test of it, or everything again."""
        if program is None:
            return self.args.again
        return f"{self.args.again} --test {program.name}" + (f":{test.name}" if test else "")

    # --- the guests -----------------------------------------------------

    def end_marker(self, guest):
        panic = splat.panic(guest.console + guest.dmesg)
        if panic:
            self.problem("run", f"{guest.name}the kernel panicked ({panic}) "
                                f"during {guest.running()}")
            return
        for event in guest.events("error"):
            self.problem("run", f"{guest.name}the guest's init failed: " + " ".join(event["args"]))
        if guest.record["waited_for"] and not guest.events("end"):
            self.problem("run", f"{guest.name}the guest hung in {guest.running()}: "
                                f"no sign of {guest.record['waited_for']}")
            return
        ends = [e["args"] for e in guest.events("end")]
        lines = guest.record["ktap_lines"]
        if not ends:
            self.problem("run", f"{guest.name}the guest ended without its end marker "
                                f"during {guest.running()}")
        elif ends != [[guest.nonce, str(lines)]]:
            self.problem("run", f"{guest.name}wrong end marker {ends}, {lines} lines came")

    def boot(self, guest):
        """Exit status when the guest never got as far as its init, else None."""
        if guest.events("boot"):
            return None
        if any(UML_TOO_OLD in line for line in guest.console):
            self.problem("host", "user-mode Linux before 6.13 knows no processor with AMX: "
                                 "have it built here (--source, --tree) or use another engine")
            return EXIT_HOST
        reason = splat.panic(guest.console)
        spoke = any("Linux version" in line for line in guest.console)
        if reason:
            self.problem("boot", f"the kernel panicked at boot: {reason}")
        elif guest.record["waited_for"]:
            self.problem("boot", "the kernel hung at boot: "
                                 f"no sign of {guest.record['waited_for']}")
        elif spoke or not guest.record["status"]:
            self.problem("boot", "the kernel stopped before the test init ran")
        else:
            said = [line for line in guest.console if line.strip()][-1:] or ["nothing"]
            self.problem("host", f"the emulator failed (status {guest.record['status']}): "
                                 f"{said[0]}")
            return EXIT_HOST
        return EXIT_NO_BOOT

    # --- the tests ------------------------------------------------------

    def plans(self):
        run = self.run
        if run.planned != len([p for p in run.programs if p.outcome]):
            done = len([p for p in run.programs if p.outcome])
            self.problem("run", f"{done} programs of {run.planned or 0} planned have a result")
        for program in run.programs:
            if program.outcome is None:
                self.problem(program.name, "has no result")
                continue
            if program.outcome == ktap.SKIP and not program.planned:
                continue
            self.plan_of(program)

    def plan_of(self, program):
        failed = program.count(ktap.FAIL)
        if program.planned is None:
            self.problem(program.name, "printed no plan" +
                         (f" ({program.reason})" if program.reason else ""))
        elif program.planned != len(program.tests):
            self.problem(program.name, f"planned {program.planned} tests, "
                                       f"reported {len(program.tests)}")
        elif not program.tests:
            self.problem(program.name, "ran no test")
        elif program.outcome == ktap.FAIL and not failed:
            self.problem(program.name, f"failed outside its tests ({program.reason})")
        elif program.outcome == ktap.PASS and failed:
            self.problem(program.name, f"exited 0 with {failed} failed tests")

    def strict(self):
        if not self.args.strict:
            return
        for program in self.run.programs:
            for test in program.tests:
                if test.outcome == ktap.XFAIL:
                    test.outcome = ktap.FAIL

    # --- the kernel -----------------------------------------------------

    def kernel_log(self, guest):
        deny, known = splat.patterns(self.args.deny), splat.patterns(self.args.known)
        # The relayed log has everything but what a dying kernel still said.
        log = guest.dmesg if guest.events("end") else guest.dmesg + \
            [f"fuse-selftest: {guest.running()}"] + guest.console
        seen = set()
        for found in splat.scan(log, deny, known):
            if found.line in seen:
                continue
            seen.add(found.line)
            times = f" ({found.count} times)" if found.count > 1 else ""
            if found.known and not self.args.strict:
                self.known_splats.append(f"{found.known} (during {found.during}){times}")
                continue
            self.problem("kernel", f"splat during {found.during}: {found.line}{times}")
        for event in guest.events("stuck"):
            self.problem(event["args"][0], "could not be killed")
        if guest.events("dmesg-lost"):
            self.problem("kernel", "the kernel log overflowed: part of it was not checked")

    def taint(self, guest):
        before = None
        for event in guest.record["events"]:
            if event["word"] not in ("program", "exit"):
                continue
            word = int(event["args"][3])
            if before is not None and word & ~before:
                names = [TAINTS.get(bit, f"bit {bit}") for bit in range(64)
                         if (word & ~before) >> bit & 1]
                self.problem("kernel", f"tainted by {event['args'][0]}: {', '.join(names)}")
            before = word if before is None else before | word

    # --- together -------------------------------------------------------

    def judge(self):
        for guest in self.guests:
            status = self.boot(guest)
            if status is not None:
                return status
        self.strict()
        for guest in self.guests:
            self.end_marker(guest)
        self.plans()
        for guest in self.guests:
            self.kernel_log(guest)
            self.taint(guest)
        tests = [t for p in self.run.programs for t in p.tests]
        ran = [t for t in tests if t.outcome != ktap.SKIP]
        skips = [t for t in tests if t.outcome == ktap.SKIP] + \
                [p for p in self.run.programs if p.outcome == ktap.SKIP]
        if not tests and not skips:
            self.problem("run", "no test was run")
        if self.problems or any(t.outcome == ktap.FAIL for t in tests):
            return EXIT_FAIL
        return EXIT_PASS if ran else EXIT_SKIP


def parse():
    parser = argparse.ArgumentParser(description="judge one run")
    for name in ("dir", "deny", "known"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--guest", action="append", required=True, metavar="DIR=NONCE")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--kernel", default="")
    parser.add_argument("--engine", default="")
    parser.add_argument("--again", default="./run_vm.sh", help="command that repro lines extend")
    parser.add_argument("--started", type=float, help="when the driver began, seconds of the epoch")
    return parser.parse_args()


def main():
    judge = Judge(parse())
    status = judge.judge()
    results.write(judge, status, VERDICTS[status])
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as error:
        print(f"verdict.py: {error}", file=sys.stderr)
        sys.exit(EXIT_HOST)
