# SPDX-License-Identifier: GPL-2.0
"""The rules of docs/properties.md, a row each, for whatever has to know them."""

import re
import sys

TABLE = "docs/properties.md"
EXEMPT = "They decide no property of the kernel:"

ID = re.compile(r"\b([CTEMLRPX]\d{1,2})\b")


class Row:
    """One rule of the table."""

    def __init__(self, number, cells):
        self.number = number
        self.id, self.rule, self.source, tests, self.failing = cells
        self.tests = re.findall(r"`(\w+):(\w+)`", tests)

    def words(self, kind):
        """What the last cell names after "fault", "mutants", "deviation" ..."""
        lists = re.findall(kind + r"s? ([^;]*)", self.failing)
        return re.findall(r"`([\w-]+)`|\b(D\d+)\b", " ".join(lists))

    def names(self, kind):
        return {a or b for a, b in self.words(kind)}


def read_table(path):
    """The rows of the table, and the programs and tests that decide no rule."""
    text = path.read_text(encoding="utf-8")
    rows = []
    # Programs, and single tests of programs, to the end of the paragraph.
    named = text.partition(EXEMPT)[2].partition("\n\n")[0]
    exempt = set(re.findall(r"`(\w+(?::\w+)?)`", named))
    for number, line in enumerate(text.splitlines(), 1):
        if not ID.match(line.removeprefix("| ").split(" ")[0]):
            continue
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 5:
            sys.exit(f"{path}:{number}: {len(cells)} cells, expected 5")
        rows.append(Row(number, cells))
    return rows, exempt
