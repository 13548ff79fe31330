# SPDX-License-Identifier: GPL-2.0
"""Which program will notice a mutant first: asked of the last run, else of the sources."""

import os
import re

PROPERTY = re.compile(r"\b([CTEMLRPX]\d{1,2})\b")
SUITE = "tools/testing/selftests/fuse"
GUESSES = 2     # programs of the first boot


class Hints:
    def __init__(self, top, programs):
        self.programs = programs
        self.properties = {name: self.named_in(os.path.join(top, SUITE, name + ".c"))
                           for name in programs}

    @staticmethod
    def named_in(path):
        """{property: how often} the source of a program names them."""
        found = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as source:
                for name in PROPERTY.findall(source.read()):
                    found[name] = found.get(name, 0) + 1
        return found

    def likely(self, mutant, before):
        """Programs to try first."""
        if before:
            killed = {test.split(":")[0] for test in before.killers}
            known = [p for p in self.programs if p in killed]
            if known:
                return tuple(known[:1])
        weight = {p: sum(bool(self.properties[p].get(q)) for q in mutant.properties)
                  for p in self.programs}
        ranked = sorted(self.programs, key=lambda p: -weight[p])
        return tuple(ranked[:GUESSES])
