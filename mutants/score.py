# SPDX-License-Identifier: GPL-2.0
"""What is known of each mutant, kept on disk as it comes, and what follows from all of it."""

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field

KILLED, SURVIVED, ERROR = "killed", "survived", "error"
KINDS = ("fail", "splat", "hang", "crash")
SUITES_KEPT = 8
VARIANT = re.compile(r"(: [^.]+)[.].*[.]([^.]+)$")


@dataclass
class Result:
    name: str
    key: str                # of mutant, suite and kernel configuration
    state: str
    error: str = ""
    object: str = ""        # what the kernel announced
    killers: dict = field(default_factory=dict)     # test -> fail, splat, hang, crash
    kills: dict = field(default_factory=dict)       # test -> in how many runs
    noticed: dict = field(default_factory=dict)     # test -> xpass, skip
    runs: int = 0
    complete: bool = True   # every program was run
    build_seconds: float = 0.0
    run_seconds: float = 0.0

    @property
    def steady(self):
        """Some test noticed it every time."""
        return any(n == self.runs for n in self.kills.values())


class Store:
    """One directory a suite: results of another one stay, and are a hint at least."""

    def __init__(self, directory, suite=""):
        self.directory, self.suite = directory, suite
        os.makedirs(os.path.join(directory, suite), exist_ok=True)
        self.prune()

    def suites(self):
        """Directories, the one used last first; that of this suite before all."""
        names = [e.path for e in os.scandir(self.directory) if e.is_dir()]
        mine = os.path.join(self.directory, self.suite)
        return sorted(names, key=lambda path: (path != mine, -os.stat(path).st_mtime))

    def prune(self):
        for path in self.suites()[SUITES_KEPT:]:
            shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def read(path):
        try:
            with open(path, encoding="utf-8") as source:
                return Result(**json.load(source))
        except (OSError, ValueError, TypeError):
            return None

    def load(self, name, key=None):
        """What is known of mutant @name: with @key of exactly this, else the latest."""
        for directory in self.suites():
            found = self.read(os.path.join(directory, name + ".json"))
            if found and key in (None, found.key):
                return found
        return None

    def save(self, result):
        path = os.path.join(self.directory, self.suite, result.name + ".json")
        with open(path + ".partial", "w", encoding="utf-8") as out:
            json.dump(asdict(result), out, indent=1)
        os.replace(path + ".partial", path)


def without_variant(test):
    """"modes: fixture.ext4.pairs" and "modes: fixture.xfs.pairs" are one test."""
    return VARIANT.sub(r"\1.\2", test)


def killing_tests(result):
    """{test: kind}, variants together; runs that were lost count for no test."""
    found = {}
    for test, kind in result.killers.items():
        if ": " in test:
            found.setdefault(without_variant(test), kind)
    return found


def by_test(results, tests):
    """{test: (mutants it kills, mutants nothing else kills)}."""
    kills = {test: [] for test in tests}
    alone = {test: [] for test in tests}
    for result in results:
        if result.state != KILLED:
            continue
        killers = killing_tests(result)
        for test in killers:
            kills.setdefault(test, []).append(result.name)
            if len(killers) == 1:
                alone.setdefault(test, []).append(result.name)
    return {test: (kills[test], alone.get(test, [])) for test in kills}


def totals(mutants, results):
    found = {r.name: r for r in results}
    judged = [m for m in mutants if m.name in found]
    count = {"mutants": len(judged), "equivalent": sum(bool(m.equivalent) for m in judged),
             KILLED: 0, SURVIVED: 0, ERROR: 0, "wrongly_equivalent": 0}
    for mutant in judged:
        state = found[mutant.name].state
        if not mutant.equivalent or state == ERROR:
            count[state] += 1
        elif state == KILLED:
            count["wrongly_equivalent"] += 1
    judged = count[KILLED] + count[SURVIVED]
    count["score"] = round(100 * count[KILLED] / judged, 1) if judged else None
    return count
