# SPDX-License-Identifier: GPL-2.0
"""Write down a judged run: text for people, JUnit and JSON for machines."""

import json
import os
import re
import time
import xml.etree.ElementTree as xml

import ktap

DEVIATION = re.compile(r"^(D\d+)[: ]+(.*)$")
XML_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
SHOWN = 40      # repro lines on the terminal; repro.txt has all of them


def replace(directory, name, text):
    """No reader ever sees half a file."""
    partial = os.path.join(directory, f".{name}.partial")
    with open(partial, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(partial, os.path.join(directory, name))


def all_tests(run):
    return [(p, t) for p in run.programs for t in p.tests]


def counts(run):
    tests = all_tests(run)
    return {outcome: sum(t.outcome == outcome for _, t in tests)
            for outcome in (ktap.PASS, ktap.FAIL, ktap.SKIP, ktap.XFAIL, ktap.XPASS)}


def failures(judge):
    """(what failed, command that runs exactly that again), each command once."""
    found = [(f"{p.name}: {t.name}", judge.repro(p, t))
             for p, t in all_tests(judge.run) if t.outcome == ktap.FAIL]
    programs = {p.name: p for p in judge.run.programs}
    known = {command for _, command in found}
    for where, text in judge.problems:
        command = judge.repro(programs.get(where))
        if command not in known:
            known.add(command)
            found.append((f"{where}: {text}", command))
    return found


def grouped(judge, outcome):
    """Tests of one outcome by reason: {reason: count}."""
    groups = {}
    for _, test in all_tests(judge.run):
        if test.outcome == outcome:
            reason = test.reason or "no reason given"
            groups[reason] = groups.get(reason, 0) + 1
    return groups


def deviations(judge, outcome):
    """{id: (text, count)}; cases of one deviation may word the same thing differently."""
    found = {}
    for reason, number in grouped(judge, outcome).items():
        match = DEVIATION.match(reason)
        key, text = (match[1], match[2]) if match else (reason, "")
        first, total = found.get(key, (text, 0))
        found[key] = (first, total + number)
    return found


def skips(judge):
    groups = grouped(judge, ktap.SKIP)
    for program in judge.run.programs:
        if program.outcome == ktap.SKIP and not program.tests:
            reason = program.reason or "no reason given"
            groups[reason] = groups.get(reason, 0) + 1
    return groups


def phase(events):
    """Seconds one guest took to boot and in its programs."""
    boot, tests, begun = 0.0, 0.0, None
    for event in events:
        if event["word"] == "boot":
            boot = event["at"]
        elif event["word"] == "program":
            begun = event["at"]
        elif event["word"] == "exit" and begun is not None:
            tests += event["at"] - begun
    return boot, tests


def phases(judge):
    """Where the time went, seconds: of several guests, the one that took longest."""
    boot, tests = max((phase(events) for events in judge.timelines()), key=sum)
    found = {"boot": boot, "tests": tests} if boot else {"tests": tests}
    if judge.args.started:
        found["total"] = time.time() - judge.args.started
        found["driver"] = found["total"] - boot - tests
    return {name: round(value, 1) for name, value in found.items()}


def text(judge, verdict):
    number, lines = counts(judge.run), []
    for where, what in judge.problems:
        lines.append(f"problem: {where}: {what}")
    again = failures(judge)
    for _, command in again[:SHOWN]:
        lines.append(f"again: {command}")
    if len(again) > SHOWN:
        lines.append(f"again: ... {len(again) - SHOWN} more in repro.txt")
    for reason, total in skips(judge).items():
        lines.append(f"skipped: {reason} ({total})")
    for key, (what, total) in sorted(deviations(judge, ktap.XFAIL).items()):
        lines.append(f"known deviation {key} of this kernel: {what} ({total} cases)")
    for key, (what, total) in sorted(deviations(judge, ktap.XPASS).items()):
        lines.append(f"DEVIATION GONE: {key}: {what} ({total} cases now pass)")
    for what in judge.known_splats:
        lines.append(f"known complaint of this kernel: {what}")
    lines.append("time: " + ", ".join(f"{name} {value} s" for name, value in phases(judge).items()))
    lines.append(f"verdict: {verdict}  {number['pass']} passed, {number['fail']} failed, "
                 f"{number['skip']} skipped, {number['xfail']} known deviations"
                 + (f", {number['xpass']} deviations gone" if number["xpass"] else "")
                 + (f", {len(judge.problems)} problems" if judge.problems else "")
                 + f"  ({judge.args.kernel}, {judge.args.engine})")
    return lines


def summary(judge, verdict):
    return {
        "verdict": verdict,
        "kernel": judge.args.kernel,
        "engine": judge.args.engine,
        "counts": counts(judge.run),
        "problems": [{"where": w, "what": t} for w, t in judge.problems],
        "deviations": {k: t for k, (t, _) in deviations(judge, ktap.XFAIL).items()},
        "known_splats": judge.known_splats,
        "deviations_gone": {k: t for k, (t, _) in deviations(judge, ktap.XPASS).items()},
        "seconds": phases(judge),
        "tests": [{"program": p.name, "name": t.name, "outcome": t.outcome, "reason": t.reason}
                  for p, t in all_tests(judge.run)],
        "programs": [{"name": p.name, "outcome": p.outcome, "reason": p.reason}
                     for p in judge.run.programs],
    }


def clean(value):
    return XML_ILLEGAL.sub("?", value)


def junit(judge):
    root = xml.Element("testsuites", name="fuse")
    for program in judge.run.programs:
        suite = xml.SubElement(root, "testsuite", name=program.name,
                               tests=str(len(program.tests)),
                               failures=str(program.count(ktap.FAIL)),
                               skipped=str(program.count(ktap.SKIP) + program.count(ktap.XFAIL)))
        for test in program.tests:
            case = xml.SubElement(suite, "testcase", classname=program.name, name=clean(test.name))
            if test.outcome == ktap.FAIL:
                xml.SubElement(case, "failure").text = clean("\n".join(test.log))
            elif test.outcome in (ktap.SKIP, ktap.XFAIL):
                xml.SubElement(case, "skipped", message=clean(f"{test.outcome}: {test.reason}"))
    number = str(len(judge.problems))
    suite = xml.SubElement(root, "testsuite", name="guest", tests=number, failures=number)
    for where, what in judge.problems:
        case = xml.SubElement(suite, "testcase", classname="guest", name=clean(where))
        xml.SubElement(case, "failure", message=clean(what))
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def write(judge, status, verdict):
    directory = judge.args.dir
    report = summary(judge, verdict)
    report["exit"] = status
    replace(directory, "junit.xml", junit(judge))
    replace(directory, "repro.txt",
            "".join(f"# {what}\n{command}\n" for what, command in failures(judge)))
    replace(directory, "summary.json", json.dumps(report, indent=1) + "\n")
    for line in text(judge, verdict):
        print(f"# {line}")
