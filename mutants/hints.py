# SPDX-License-Identifier: GPL-2.0
"""Which test will notice a mutant first: asked of the record, else of the sources.

The record is a file of the project, so a fresh clone begins with the right test.
mutants/run --readme writes it: one line a mutant, "NAME PROGRAM: TEST". Several
lines, written by hand, are tried together.
"""

import os
import re

import mutant as mutants
import score

PROPERTY = re.compile(r"\b([CTEMLRPX]\d{1,2})\b")
SUITE = "tools/testing/selftests/fuse"
GUESSES = 2     # programs of the first boot
QUICKEST = ("tmpfs", "ext4")    # file systems that need no long preparation
HEADER = """# SPDX-License-Identifier: GPL-2.0
# The test that kills each mutant, written by mutants/run --readme: MUTANT PROGRAM: TEST
"""


def read_record(path):
    """{mutant: ["program: test"]}"""
    found = {}
    if os.path.exists(path):
        for line in mutants.content(path).split("\n"):
            if line and not line.startswith("#"):
                name, test = line.split(" ", 1)
                found.setdefault(name, []).append(test)
    return found


def variant(test):
    """The file system in "program: fixture.ext4.name", "" if there is none."""
    parts = test.split(".")
    return parts[-2] if len(parts) > 2 else ""


def best(killers):
    """The killer to begin with next time; None if the run names no test."""
    def price(test):
        known = variant(test) in QUICKEST
        return (score.KINDS.index(killers[test]), QUICKEST.index(variant(test)) if known else 9, test)
    tests = [t for t in killers if ": " in t]
    return min(tests, key=price) if tests else None


def write_record(path, results):
    """Keep what is on record of a mutant if it killed it, or if nothing failed: what the
    kernel complains or dies of may come in whatever test is running then."""
    record = read_record(path)
    for result in results:
        killer = best(result.killers) if result.state == score.KILLED else None
        known = record.get(result.name, [])
        if not killer or any(test in result.killers for test in known):
            continue
        if not known or result.killers[killer] == "fail":
            record[result.name] = [killer]
    text = HEADER + "".join(f"{name} {test}\n" for name in sorted(record) for test in record[name])
    with open(path + ".partial", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(path + ".partial", path)


class Hints:
    def __init__(self, top, record, guests):
        self.guests = guests
        self.record = read_record(record)
        self.properties = {name: self.named_in(os.path.join(top, SUITE, name + ".c"))
                           for name in guests.programs}

    @staticmethod
    def named_in(path):
        """{property: how often} the source of a program names them."""
        found = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as source:
                for name in PROPERTY.findall(source.read()):
                    found[name] = found.get(name, 0) + 1
        return found

    def can_run(self, test):
        return test.split(":")[0] in self.guests.programs and self.guests.has_variant(variant(test))

    def recorded(self, mutant):
        """The tests on record that this run can run: ["program: test"]."""
        return [test for test in self.record.get(mutant.name, []) if self.can_run(test)]

    def likely(self, mutant, before):
        """What to try first: the test that killed it, or the programs about its properties."""
        if self.recorded(mutant):
            return tuple(self.recorded(mutant))
        programs = self.guests.programs
        killed = {test.split(":")[0] for test in before.killers} if before else set()
        known = [p for p in programs if p in killed]
        if known:
            return tuple(known[:1])
        weight = {p: sum(bool(self.properties[p].get(q)) for q in mutant.properties)
                  for p in programs}
        ranked = sorted(programs, key=lambda p: -weight[p])
        return tuple(ranked[:GUESSES])
