# SPDX-License-Identifier: GPL-2.0
"""What each test is for: the first rule that docs/properties.md has it decide."""

import os
import re

TABLE = os.path.join("docs", "properties.md")
OF_THE_SUITE = "decides no property of the kernel but of the suite"
TEST = re.compile(r"`(\w+):(\w+)`")


def rules(top):
    """{"program:test": "C1 rule (seen failing by what)"}, check/properties keeps it complete."""
    found = {}
    with open(os.path.join(top, TABLE), encoding="utf-8") as table:
        for line in table:
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if len(cells) != 5:
                continue
            number, rule, _, tests, failing = cells
            for program, name in TEST.findall(tests):
                found.setdefault(f"{program}:{name}", f"{number} {rule} ({failing})")
    return found


def of(rules_known, test):
    """@test as results name it, "program: fixture.name"."""
    program, _, name = test.partition(": ")
    return rules_known.get(f"{program}:{name.split('.')[-1]}", OF_THE_SUITE)
