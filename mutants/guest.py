# SPDX-License-Identifier: GPL-2.0
"""Run the suite on one UML kernel through run_vm.sh and say what it decided."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field

from kernel import TOP, Trouble, sha

NO_RESULTS = 200    # run_vm.sh: trouble of the machine
# Found at once when a freed object is used, at little cost.
APPEND = "slub_debug=FZPU,fuse_inode,filp,cred,kmalloc-64,backing_aio"
# Programs about the harness: what they test is not in the kernel.
HARNESS = {"server", "server_files", "sandbox_stress"}
FILESYSTEMS = {"tmpfs", "ext4", "xfs", "btrfs", "overlayfs"}
HEARD = re.compile(r"fuse-mutant: (.+)$", re.M)
OUTER = re.compile(r"^# selftests: \S+ (\S+)$")
INNER_FAIL = re.compile(r"^# not ok \d+ (\S+)")
DURING = re.compile(r"^splat during ([^:]*(?:: [A-Za-z_][\w.]*)?): (.*)$")
TAINTED = re.compile(r"^tainted by (\S+): ")


@dataclass
class Verdict:
    """What one run of a guest said."""
    tests: dict = field(default_factory=dict)       # "program: test" -> outcome
    problems: list = field(default_factory=list)    # (kind, test or "", text)
    heard: list = field(default_factory=list)       # announcements of the kernel
    seconds: float = 0.0
    status: int = 0
    stopped: bool = False       # at the first failure: nothing else is known


def kind_of(where, text):
    """(kind, test it happened in) of a problem; None: a consequence of failed tests."""
    during = DURING.match(text)
    if during:
        return "splat", during[1]
    if TAINTED.match(text):
        return "splat", TAINTED.match(text)[1]
    if "panicked" in text or "stopped before" in text or "without its end marker" in text:
        return "crash", text.split(" during ")[-1] if " during " in text else ""
    if " hung " in text or "could not be killed" in text:
        found = re.search(r"hung in ([^:]+(?:: [\w.]+)?)", text)
        return "hang", found[1] if found else where
    if where in ("run", "kernel", "boot"):
        return None
    return "fail", where


def read_text(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as source:
        return source.read()


class Guests:
    def __init__(self, suite, work, filesystems, program_timeout):
        self.suite, self.work = suite, work
        self.filesystems, self.program_timeout = filesystems, program_timeout
        listed = read_text(os.path.join(suite, "programs.list")).split()
        self.programs = [p for p in listed if p not in HARNESS]
        self.running = set()
        self.stopped = False

    def only(self, programs):
        self.programs = [p for p in self.programs if p in programs]

    def only_tests(self, tests):
        """From now on "all" is these: programs, or "program: test"."""
        self.programs = sorted(tests)

    def has_variant(self, name):
        return self.filesystems == "all" or name not in FILESYSTEMS or \
            name in self.filesystems.split(",")

    def identity(self):
        """What the verdict depends on besides the kernel."""
        parts = [self.filesystems, APPEND]
        for name in self.programs:
            with open(os.path.join(self.suite, name.split(":")[0]), "rb") as program:
                parts.append(name + sha(program.read()))
        return sha(" ".join(parts))[:16]

    def command(self, kernel, out, programs):
        command = [os.path.join(TOP, "run_vm.sh"), "--kernel", kernel, "--engine", "uml",
                   "--suite", self.suite, "--out", out, "--append", APPEND,
                   "--program-timeout", str(self.program_timeout)]
        if self.filesystems != "all":
            command += ["--fs", self.filesystems]
        for name in programs or self.programs:
            command += ["--test", name.replace(": ", ":")]
        return command

    def run(self, kernel, name, programs=(), enough=None):
        """Boot @kernel and run @programs, or "program: test" (all if empty). The logs stay in work/@name.

        The guest is stopped at the first failed test that @enough says yes to.
        """
        if self.stopped:
            raise Trouble("interrupted")
        out = os.path.join(self.work, name)
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        with open(os.path.join(out, "run_vm.log"), "w", encoding="utf-8") as log:
            child = subprocess.Popen(
                self.command(kernel, out, programs), stdin=subprocess.DEVNULL, text=True,
                errors="replace", stdout=subprocess.PIPE, stderr=log, start_new_session=True)
            self.running.add(child)
            try:
                failed = self.watch(child, enough)
                status = child.wait()
            finally:
                self.running.discard(child)
        if failed:
            return Verdict(tests={failed: "fail"}, stopped=True)
        if not os.path.exists(os.path.join(out, "summary.json")):
            said = read_text(os.path.join(out, "run_vm.log")).strip().split("\n")[-1]
            raise Trouble(f"{name}: the guest could not be run: {said or status}")
        return self.read(out, status)

    @staticmethod
    def watch(child, enough):
        """Read what the guest reports, to its end or to the first failure that is enough."""
        program = ""
        for line in child.stdout:
            found = OUTER.match(line)
            if found:
                program = found[1]
            found = INNER_FAIL.match(line)
            if enough and found and enough(f"{program}: {found[1]}"):
                child.terminate()
                child.stdout.read()
                return f"{program}: {found[1]}"
        return None

    def stop(self):
        """Have run_vm.sh take down its guests; no other is started."""
        self.stopped = True
        running = list(self.running)
        for child in running:
            child.terminate()
        for child in running:
            child.wait()

    def read(self, out, status):
        summary = json.loads(read_text(os.path.join(out, "summary.json")))
        console = read_text(os.path.join(out, "console.log")) + \
            read_text(os.path.join(out, "dmesg.txt"))
        verdict = Verdict(status=status, heard=sorted({h.strip() for h in HEARD.findall(console)}),
                          seconds=summary["seconds"].get("tests", 0.0))
        for test in summary["tests"]:
            verdict.tests[f"{test['program']}: {test['name']}"] = test["outcome"]
        for problem in summary["problems"]:
            kind = kind_of(problem["where"], problem["what"])
            if kind:
                verdict.problems.append((*kind, problem["what"]))
        return verdict


def killers(pristine, verdict):
    """{test: how it noticed} against the run without a mutant."""
    found = {}
    for test, outcome in verdict.tests.items():
        before = pristine.tests.get(test)
        if outcome == "fail" and before != "fail":
            found[test] = "fail"
    for kind, where, text in verdict.problems:
        if kind == "fail" and any(test.startswith(where + ":") for test in found):
            continue
        found.setdefault(where or text, kind)
        if kind in ("splat", "crash", "hang"):
            found[where or text] = kind
    return found


def noticed(pristine, verdict):
    """{test: outcome} of what changed without failing: no kill, but worth knowing."""
    return {test: outcome for test, outcome in verdict.tests.items()
            if outcome in ("xpass", "skip") and pristine.tests.get(test) not in (outcome, None)}
