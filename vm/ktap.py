# SPDX-License-Identifier: GPL-2.0
"""Read what kselftest's runner prints: one outer test a program, its own tests below it.

Outer lines stand at the start; the output of a program is prefixed with "# "
(Documentation/dev-tools/ktap.rst, and "TAP version 13" from the C helpers).
"""

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^(ok|not ok) (\d+)(?:\s+(?:- )?(.*?))?(?:\s+# (\w+)(?:[ :=]+(.*))?)?\s*$")
PLAN = re.compile(r"^1\.\.(\d+)(?:\s+# SKIP\s*(.*))?\s*$")
OUTER_NAME = re.compile(r"^(?:\d+ )?selftests: \S+ ")
PASS, FAIL, SKIP, XFAIL, XPASS = "pass", "fail", "skip", "xfail", "xpass"
DIAGNOSTICS = 60    # lines kept of what a program says before a result


@dataclass
class Test:
    name: str
    outcome: str
    reason: str = ""
    log: list = field(default_factory=list)


@dataclass
class Program:
    name: str
    planned: int | None = None
    tests: list = field(default_factory=list)
    outcome: str | None = None      # of the outer line; None: never came
    reason: str = ""
    log: list = field(default_factory=list)

    def count(self, outcome):
        return sum(t.outcome == outcome for t in self.tests)


@dataclass
class Run:
    planned: int | None = None
    programs: list = field(default_factory=list)


def outcome_of(word, directive):
    directive = (directive or "").upper()
    if directive in ("SKIP", "XFAIL", "XPASS"):
        return directive.lower()
    return PASS if word == "ok" else FAIL


class Reader:
    def __init__(self):
        self.run = Run()
        self.program = None
        self.log = []

    def inner(self, text):
        plan, result = PLAN.match(text), RESULT.match(text)
        if plan:
            self.program.planned = int(plan[1])
            if plan[2] is not None:
                self.program.reason = plan[2]
        elif result:
            test = Test(result[3] or f"test {result[2]}", outcome_of(result[1], result[4]),
                        result[5] or "", self.log[-DIAGNOSTICS:])
            self.program.tests.append(test)
            self.log = []
        else:
            self.log.append(text)

    def outer(self, match):
        name = OUTER_NAME.sub("", match[3] or "")
        if self.program is None or self.program.name != name:
            self.start(name)
        self.program.outcome = outcome_of(match[1], match[4])
        if match[4] and match[4].upper() != "SKIP":
            self.program.reason = f"{match[4]} {match[5] or ''}".strip()
        elif match[5]:
            self.program.reason = match[5]
        self.program.log = self.log[-DIAGNOSTICS:]
        self.program = None
        self.log = []

    def start(self, name):
        self.program = Program(name)
        self.run.programs.append(self.program)
        self.log = []

    def line(self, text):
        started = re.match(r"^# selftests: \S+: (\S+)$", text)
        result, plan = RESULT.match(text), PLAN.match(text)
        if started:
            self.start(started[1])
        elif result:
            self.outer(result)
        elif plan:
            self.run.planned = int(plan[1])
        elif text.startswith("# ") and self.program:
            self.inner(text[2:])

    def end(self):
        if self.program:
            self.program.log = self.log[-DIAGNOSTICS:]
        return self.run


def read(lines):
    reader = Reader()
    for text in lines:
        reader.line(text.rstrip("\n"))
    return reader.end()
