#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compare two runs test by test.

usage: compare.py BASE/summary.json PATCHED/summary.json

Exit: 0 nothing broke, 1 something did.
"""

import json
import sys

GOOD, BAD, NONE = ("pass", "xpass"), ("fail",), ("skip", "missing")
SHOWN = 50


def load(path):
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def outcomes(summary):
    found = {f"{t['program']}:{t['name']}": t["outcome"] for t in summary["tests"]}
    # Crashes, splats and broken plans have no test of their own.
    for problem in summary["problems"]:
        found[f"{problem['where']}: {problem['what']}"] = "fail"
    for program in summary["programs"]:
        found.setdefault(program["name"], program["outcome"] or "missing")
    return found


def change(before, after):
    """The word for a change that concerns the reader, None for none."""
    if after in BAD:
        return "still failing" if before in BAD else "BROKEN"
    if before in BAD:
        return "fixed" if after in GOOD + ("xfail", "gone") else "no longer run"
    if before == after:
        return None
    if after in NONE:
        return "new skip" if after == "skip" else "no longer run"
    if before in NONE:
        return "new pass" if after in GOOD else f"new {after}"
    if after == "xfail":
        return "new known deviation"
    if before == "xfail":
        return "deviation gone"
    return None


def compare(base, patched):
    before, after = outcomes(base), outcomes(patched)
    groups = {}
    for name in sorted(set(before) | set(after)):
        problem = ": " in name
        one = before.get(name, "pass" if problem else "missing")
        two = after.get(name, "pass" if problem else "missing")
        word = change(one, two)
        if word:
            groups.setdefault(word, []).append(f"{name} ({one} -> {two})")
    return groups


def main():
    base, patched = load(sys.argv[1]), load(sys.argv[2])
    groups = compare(base, patched)
    order = ["BROKEN", "no longer run", "fixed", "still failing", "new skip"]
    for word in order + sorted(set(groups) - set(order)):
        for line in groups.get(word, [])[:SHOWN]:
            print(f"# {word}: {line}")
        hidden = len(groups.get(word, [])) - SHOWN
        if hidden > 0:
            print(f"# {word}: ... {hidden} more")
    broken = len(groups.get("BROKEN", [])) + len(groups.get("no longer run", []))
    counts = ", ".join(f"{len(groups[w])} {w}" for w in order if w in groups) or "no difference"
    print(f"# compare: {'BROKEN' if broken else 'OK'}  {base['kernel']}: {base['verdict']}, "
          f"{patched['kernel']}: {patched['verdict']}; {counts}")
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        sys.exit(1)
