# SPDX-License-Identifier: GPL-2.0
"""What a test program's KTAP says, checked against its plan and exit status."""

import dataclasses
import re
import signal

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
DEVIATION, GONE = "known deviation", "deviation gone"
# The harness's exit statuses.
EXIT_SKIP = 4

PLAN = re.compile(r"^1\.\.(\d+)(?:\s+#\s*SKIP\s*(.*))?")
RESULT = re.compile(r"^(not ok|ok) (\d+)(?: -)? ?(.*?)(?:\s+# ?(SKIP|XFAIL|XPASS|TIMEOUT)\b\s*(.*))?$")
RERUN = re.compile(r"^#\s+rerun: (.*)")


@dataclasses.dataclass
class Case:
    name: str
    verdict: str
    why: str = ""
    rerun: str = ""


@dataclasses.dataclass
class Program:
    name: str
    verdict: str
    why: str = ""
    cases: list = dataclasses.field(default_factory=list)
    seconds: float = 0
    path: str = ""

    def runner_line(self, number):
        """The line kselftest's runner would print."""
        text = f"{number} selftests: fuse: {self.name}"
        if self.verdict == FAILED:
            return f"not ok {text} # {self.why}"
        return f"ok {text}" + (" # SKIP" if self.verdict == SKIPPED else "")

    def count(self, verdict):
        return sum(case.verdict == verdict for case in self.cases)


def parse(lines):
    """Returns (plan or None, reason of a plan that skips all, cases)."""
    plan, skip_all, cases, reruns = None, None, [], []
    for line in lines:
        if match := PLAN.match(line):
            plan, skip_all = int(match[1]), match[2]
        elif match := RERUN.match(line):
            reruns.append(match[1])
        elif match := RESULT.match(line):
            ok, _, name, directive, why = match.groups()
            if ok == "not ok":
                verdict = FAILED
            else:
                verdict = {"SKIP": SKIPPED, "XFAIL": DEVIATION, "XPASS": GONE}.get(
                    directive, PASSED)
            cases.append(Case(name, verdict, why or "", reruns[0] if reruns else ""))
            reruns = []
    return plan, skip_all, cases


def died_of(status):
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit={status}"


def judge(name, status, lines, limit):
    """@status None: @limit seconds were not enough."""
    plan, skip_all, cases = parse(lines)
    program = Program(name, FAILED, cases=cases)
    failed = program.count(FAILED)
    if status is None:
        program.why = f"TIMEOUT {limit} seconds"
    elif plan == 0 and status == EXIT_SKIP:
        program.verdict, program.why = SKIPPED, skip_all or ""
    elif plan is None:
        program.why = f"printed no plan, {died_of(status)}"
    elif plan != len(cases):
        program.why = f"planned {plan} tests, reported {len(cases)}, {died_of(status)}"
    elif failed:
        program.why = died_of(status) if status else "exit=0 although tests failed"
    elif status not in (0, EXIT_SKIP):
        program.why = f"no test failed but {died_of(status)}"
    elif program.count(SKIPPED) == plan:
        program.verdict = SKIPPED
        program.why = cases[0].why if cases else "no tests"
    else:
        program.verdict = PASSED
    return program


def exit_status(programs):
    if any(p.verdict == FAILED for p in programs):
        return 1
    return 0 if any(p.verdict == PASSED for p in programs) else EXIT_SKIP


def deviations(programs):
    """One line a deviation, most frequent reason first, with its count."""
    seen = {}
    for program in programs:
        for case in program.cases:
            if case.verdict in (DEVIATION, GONE):
                key = (case.verdict, case.why)
                seen[key] = seen.get(key, 0) + 1
    return [f"{verdict}, {count} tests: {why}" for (verdict, why), count in sorted(seen.items())]


def failures(programs):
    for program in programs:
        for case in program.cases:
            if case.verdict == FAILED:
                rerun = case.rerun or f"{program.path} -r {case.name}"
                yield f"FAILED {program.name}: {case.name}", rerun
        if program.verdict == FAILED and not program.count(FAILED):
            yield f"FAILED {program.name}: {program.why}", program.path


def summary(programs, where):
    order = (PASSED, FAILED, SKIPPED, DEVIATION, GONE)
    out = ["#"]
    for program in programs:
        counts = ", ".join(f"{program.count(v)} {v}" for v in order if program.count(v))
        if program.verdict == SKIPPED:
            counts = f"skipped: {program.why}"
        elif program.verdict == FAILED and not program.count(FAILED):
            counts = f"{program.why} ({counts or 'no results'})"
        out.append(f"# {program.name:<16} {program.seconds:6.1f} s  {counts}")
    for line, rerun in failures(programs):
        out += [f"# {line}", f"#   rerun: {rerun}"]
    out += [f"# {line}" for line in deviations(programs)]
    totals = {v: sum(p.count(v) for p in programs) for v in order}
    # A program that failed or was skipped as a whole counts as one.
    for program in programs:
        for verdict in (FAILED, SKIPPED):
            if program.verdict == verdict and not program.count(verdict):
                totals[verdict] += 1
    text = ", ".join(f"{totals[v]} {v}" for v in order[:3])
    known = totals[DEVIATION]
    text += f", {known} known deviation{'' if known == 1 else 's'}"
    if totals[GONE]:
        text += f", {totals[GONE]} known deviations gone (XPASS)"
    seconds = sum(p.seconds for p in programs)
    out.append(f"# {text} on {where} in {seconds:.1f} s")
    return "\n".join(out)
