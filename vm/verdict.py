#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judge one guest's run and write the results.

usage: verdict.py --dir DIR --nonce WORD --deny FILE --known FILE [...]

Reads what vm/watch.py left in DIR, adds junit.xml, summary.json and repro.txt,
and prints the verdict as KTAP diagnostics. An exit status is never believed
alone: a plan that was not kept, no tests at all, a missing end marker, a splat
in the kernel log or a new taint each make a failure.

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


def lines_of(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as source:
        return source.read().split("\n")


class Judge:
    def __init__(self, args):
        self.args = args
        with open(os.path.join(args.dir, "guest.json"), encoding="utf-8") as source:
            self.guest = json.load(source)
        self.run = ktap.read(lines_of(args.dir, "ktap.log"))
        self.console = lines_of(args.dir, "console.log")
        self.dmesg = lines_of(args.dir, "dmesg.txt")
        self.problems = []      # (program or "run", text)
        self.known_splats = []  # what is said of them

    def events(self, word):
        return [e for e in self.guest["events"] if e["word"] == word]

    def problem(self, where, text):
        self.problems.append((where, text))

    def repro(self, program=None, test=None):
        """The command that runs this program, this test of it, or everything again."""
        if program is None:
            return self.args.again
        return f"{self.args.again} --test {program.name}" + (f":{test.name}" if test else "")

    # --- the guest ------------------------------------------------------

    def running(self):
        """What the guest was doing when it fell silent."""
        program = None
        for event in self.guest["events"]:
            if event["word"] == "program":
                program = event["args"][0]
            elif event["word"] == "exit":
                program = None
        if not program:
            return "between the tests"
        for line in reversed(lines_of(self.args.dir, "ktap.log")):
            if line.startswith("# #  RUN  "):
                return f"{program}: {line[10:].strip().removesuffix(' ...')}"
        return program

    def end_marker(self):
        panic = splat.panic(self.console + self.dmesg)
        if panic:
            self.problem("run", f"the kernel panicked ({panic}) during {self.running()}")
            return
        for event in self.events("error"):
            self.problem("run", "the guest's init failed: " + " ".join(event["args"]))
        if self.guest["waited_for"] and not self.events("end"):
            self.problem("run", f"the guest hung in {self.running()}: "
                                f"no sign of {self.guest['waited_for']}")
            return
        ends = [e["args"] for e in self.events("end")]
        if not ends:
            self.problem("run", f"the guest ended without its end marker during {self.running()}")
        elif ends != [[self.args.nonce, str(self.guest["ktap_lines"])]]:
            self.problem("run", f"wrong end marker {ends}, {self.guest['ktap_lines']} lines came")

    def boot(self):
        """Exit status when the guest never got as far as its init, else None."""
        if self.events("boot"):
            return None
        reason = splat.panic(self.console)
        spoke = any("Linux version" in line for line in self.console)
        if reason:
            self.problem("boot", f"the kernel panicked at boot: {reason}")
        elif self.guest["waited_for"]:
            self.problem("boot", f"the kernel hung at boot: no sign of {self.guest['waited_for']}")
        elif spoke or not self.guest["status"]:
            self.problem("boot", "the kernel stopped before the test init ran")
        else:
            said = [line for line in self.console if line.strip()][-1:] or ["nothing"]
            self.problem("host", f"the emulator failed (status {self.guest['status']}): {said[0]}")
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

    def kernel_log(self):
        deny, known = splat.patterns(self.args.deny), splat.patterns(self.args.known)
        # The relayed log has everything but what a dying kernel still said.
        log = self.dmesg if self.events("end") else self.dmesg + \
            [f"fuse-selftest: {self.running()}"] + self.console
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
        for event in self.events("stuck"):
            self.problem(event["args"][0], "could not be killed")
        if self.events("dmesg-lost"):
            self.problem("kernel", "the kernel log overflowed: part of it was not checked")

    def taint(self):
        before = None
        for event in self.guest["events"]:
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
        status = self.boot()
        if status is not None:
            return status
        self.strict()
        self.end_marker()
        self.plans()
        self.kernel_log()
        self.taint()
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
    parser = argparse.ArgumentParser(description="judge one guest's run")
    for name in ("dir", "nonce", "deny", "known"):
        parser.add_argument(f"--{name}", required=True)
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
