# SPDX-License-Identifier: GPL-2.0
"""A mutant: one defect as a semantic patch, and its application to a source file."""

import difflib
import os
import re
import subprocess
from dataclasses import dataclass

FIELD = re.compile(r"^// (Breaks|User sees|Reference|Property|Equivalent|Places): (.*)$")
MORE = re.compile(r"^//   (.*)$")
BREAKS = re.compile(r"^(\S+\.c) (.+)$")
FIRST = "data-yanwu-mmap-not-diverted"     # the report that started all this
NOT_MATCHED = "there are no modified files"
SPATCH_LIMIT = 120                         # seconds; a mutant takes a fraction of one

# Printed by the mutated object itself while its kernel boots.
ANNOUNCE = """
static int __init fuse_mutant_announce(void)
{{
	pr_notice("fuse-mutant: {word}\\n");
	return 0;
}}
late_initcall(fuse_mutant_announce);
"""


class Unusable(Exception):
    """The mutant cannot be judged: an error, never a pass."""


@dataclass
class Mutant:
    name: str
    path: str
    file: str           # the source file it breaks
    what: str
    user_sees: str
    properties: list
    reference: str = ""
    equivalent: str = ""    # the argument why nobody can see it
    places: int = 1         # separate places in the file that change

    @property
    def family(self):
        return self.name.split("-", 1)[0]


def content(path):
    with open(path, encoding="utf-8") as source:
        return source.read()


def read_header(text):
    fields, last = {}, None
    for line in text.split("\n"):
        if not line.startswith("//"):
            break
        found, more = FIELD.match(line), MORE.match(line)
        if found:
            last = found[1]
            fields[last] = found[2]
        elif more and last:
            fields[last] += " " + more[1]
    return fields


def read(path):
    name = os.path.basename(path).removesuffix(".cocci")
    fields = read_header(content(path))
    for field in ("Breaks", "User sees", "Property"):
        if field not in fields:
            raise Unusable(f"{name}: the header says no '{field}:'")
    breaks = BREAKS.match(fields["Breaks"])
    if not breaks:
        raise Unusable(f"{name}: 'Breaks:' does not begin with a source file")
    return Mutant(name, path, breaks[1], breaks[2], fields["User sees"],
                  re.split(r",\s*", fields["Property"]), fields.get("Reference", ""),
                  fields.get("Equivalent", ""), int(fields.get("Places", "1")))


def read_all(directory):
    names = sorted(n for n in os.listdir(directory) if n.endswith(".cocci"))
    mutants = [read(os.path.join(directory, n)) for n in names]
    return sorted(mutants, key=lambda m: m.name != FIRST)


def places_changed(before, after):
    """Number of separate runs of changed lines."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return sum(tag != "equal" for tag, *_ in matcher.get_opcodes())


def apply(mutant, pristine, isos, scratch):
    """The mutated text of the file at @pristine, which stays as it is. @scratch: a file to use."""
    command = ["spatch", "--very-quiet", "--no-includes", "--no-show-diff", "--iso-file", isos,
               "--sp-file", mutant.path, "-o", scratch, pristine]
    if os.path.exists(scratch):
        os.remove(scratch)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SPATCH_LIMIT,
                              check=False)
    except subprocess.TimeoutExpired:
        raise Unusable(f"does not apply: spatch took more than {SPATCH_LIMIT} s") from None
    if NOT_MATCHED in done.stderr:
        raise Unusable(f"does not apply: changes nothing in {mutant.file}")
    if done.returncode:
        said = [line for line in done.stderr.split("\n") if "error" in line] or ["spatch failed"]
        raise Unusable("does not apply: " + said[0].strip())
    # spatch writes nothing when nothing matched.
    after = content(scratch) if os.path.exists(scratch) else ""
    places = places_changed(content(pristine), after) if after else 0
    if not places:
        raise Unusable(f"does not apply: changes nothing in {mutant.file}")
    if places != mutant.places:
        raise Unusable(f"does not apply: changes {places} places of {mutant.file}, "
                       f"its header says {mutant.places}")
    return after


def announced(text, word):
    """@text with the announcement @word added to the same object."""
    return text + ANNOUNCE.format(word=word)
