# SPDX-License-Identifier: GPL-2.0
"""What is known of each mutant, kept on disk as it comes, and what follows from all of it."""

import json
import os
import re
from dataclasses import asdict, dataclass, field

KILLED, SURVIVED, ERROR = "killed", "survived", "error"
KINDS = ("fail", "splat", "hang", "crash")
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
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)

    def path(self, name):
        return os.path.join(self.directory, name + ".json")

    def load(self, name, key=None):
        try:
            with open(self.path(name), encoding="utf-8") as source:
                found = Result(**json.load(source))
        except (OSError, ValueError, TypeError):
            return None
        return found if key in (None, found.key) else None

    def save(self, result):
        partial = self.path(result.name) + ".partial"
        with open(partial, "w", encoding="utf-8") as out:
            json.dump(asdict(result), out, indent=1)
        os.replace(partial, self.path(result.name))


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
