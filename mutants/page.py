# SPDX-License-Identifier: GPL-2.0
"""Results for machines (JSON), for the README (Markdown) and for the eye (HTML heat map)."""

import html
import json
import os
import pathlib
import sys
from dataclasses import asdict

import score
from kernel import TOP

sys.path.append(os.path.join(TOP, "check"))
import rules  # pylint: disable=wrong-import-position

MARK_BEGIN = "<!-- tables: mutants/run --readme -->"
MARK_END = "<!-- end of tables -->"

STYLE = """
body { font: 13px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
table { border-collapse: collapse; } td, th { padding: 0; font-weight: normal; text-align: left; }
th.test { height: 15em; vertical-align: bottom; }
th.test div { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap;
	font-size: 11px; }
td.name { white-space: nowrap; padding-right: 1em; font-family: monospace; }
td.cell { width: 11px; min-width: 11px; height: 15px; border: 1px solid #eee; }
tr.family td { padding-top: .8em; font-weight: bold; }
.fail { background: #2b7bba; } .splat { background: #d9662b; } .hang { background: #7a3f9d; }
.crash { background: #b3202c; } .alone { outline: 2px solid #111; outline-offset: -2px; }
.survived { background: #ffd9d9; } .error { background: #ffef9f; } .equivalent { color: #888; }
.key span { display: inline-block; padding: 0 .7em; margin-right: .6em; color: #fff; }
th.silent div { color: #b3202c; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; }
	td.cell { border-color: #333; } .survived { background: #5a2020; } .error { background: #5a5010; }
	.alone { outline-color: #fff; } }
"""


def replace(directory, name, text):
    partial = os.path.join(directory, f".{name}.partial")
    with open(partial, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(partial, os.path.join(directory, name))


def headline(count):
    return (f"{count['mutants']} mutants: {count['killed']} killed, {count['survived']} survived, "
            f"{count['equivalent']} equivalent, {count['error']} not judged. "
            f"Score {count['score']} %.")


# --- heat map -------------------------------------------------------------

def columns(tests, table):
    """Tests in order of their programs; those that kill nothing stand in red."""
    cells = []
    for test in tests:
        silent = "" if table[test][0] else " silent"
        cells.append(f'<th class="test{silent}"><div>{html.escape(test)}</div></th>')
    return "".join(cells)


def cell(test, killers, lone):
    kind = killers.get(test)
    if not kind:
        return '<td class="cell"></td>'
    alone = " alone" if lone else ""
    return f'<td class="cell {kind}{alone}" title="{html.escape(test)}: {kind}"></td>'


def row(mutant, result, tests):
    killers = score.killing_tests(result)
    tip = f"{mutant.file}: {mutant.what}\nUser sees: {mutant.user_sees}\n"
    if mutant.equivalent:
        tip += f"Equivalent: {mutant.equivalent}"
    elif result.error:
        tip += f"Error: {result.error}"
    else:
        tip += f"Properties: {', '.join(mutant.properties)}"
    style = "equivalent" if mutant.equivalent else result.state
    lost = ""
    if result.state == score.KILLED and not killers:
        kind = next(iter(result.killers.values()))
        lost = f' <span class="{kind}">&nbsp;&nbsp;</span>'
    cells = "".join(cell(t, killers, len(killers) == 1) for t in tests)
    return (f'<tr><td class="name {style}" title="{html.escape(tip)}">{mutant.name}{lost}</td>'
            f"{cells}</tr>")


def heat_map(mutants, results, tests, count, table):
    families, body = [], []
    for mutant in mutants:
        if mutant.family not in families:
            families.append(mutant.family)
    for family in families:
        body.append(f'<tr class="family"><td>{family}</td></tr>')
        body += [row(m, results[m.name], tests) for m in mutants
                 if m.family == family and m.name in results]
    key = "".join(f'<span class="{k}">{k}</span>' for k in score.KINDS)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Mutants of FUSE passthrough and the tests that kill them</title>
<style>{STYLE}</style>
<h1>Mutants of FUSE passthrough and the tests that kill them</h1>
<p>{html.escape(headline(count))} {"" if complete(results) else "Some mutants were left at the first test that noticed them."}</p>
<p class="key">{key} framed: no other test kills this mutant; red row: survivor; red column: kills nothing.
Point at a name or a square for details.</p>
<table><tr><th></th>{columns(tests, table)}</tr>
{chr(10).join(body)}
</table></html>
"""


# --- Markdown -------------------------------------------------------------

def complete(results):
    """Was every program run on every mutant?"""
    return all(r.complete for r in results.values())


def short(mutant, result):
    if mutant.equivalent:
        return "equivalent: " + mutant.equivalent
    if result.state == score.ERROR:
        return "not judged: " + result.error
    if result.state == score.SURVIVED:
        return "**survived**, should break " + ", ".join(mutant.properties)
    killers = score.killing_tests(result) or result.killers
    first = min(killers, key=lambda t: (score.KINDS.index(killers[t]), t))
    more = f" and {len(killers) - 1} more" if len(killers) > 1 else ""
    kind = "" if killers[first] == "fail" else f" ({killers[first]})"
    return f"`{first}`{kind}{more}"


def markdown(mutants, results, tests, count, table):
    lines = [headline(count), "", "| mutant | killed by |", "|---|---|"]
    lines += [f"| `{m.name}` | {short(m, results[m.name])} |" for m in mutants if m.name in results]
    if not complete(results):
        lines += ["", "Some mutants were left at the first test that noticed them: nothing is said of "
                  "what each test kills."]
        return "\n".join(lines) + "\n"
    return "\n".join(lines + tests_table(tests, table)) + "\n"


def purposes():
    """{"program:test": the first rule it decides, and what else it was seen failing by}"""
    found = {}
    for row in rules.read_table(pathlib.Path(TOP) / rules.TABLE)[0]:
        for program, name in row.tests:
            found.setdefault(f"{program}:{name}", f"{row.id} {row.rule} ({row.failing})")
    return found


def tests_table(tests, table):
    """What each test kills, and what those are for that others could stand in for."""
    known = purposes()

    def purpose(test):
        program, name = test.split(": ")
        return known.get(f"{program}:{name.split('.')[-1]}",
                         "decides no property of the kernel but of the suite")

    ranked = sorted(tests, key=lambda t: (-len(table[t][1]), -len(table[t][0]), t))
    lines = ["", "Kills: mutants it kills. Alone: those that no other test kills. A test without any says "
             "what it is for and what else it was seen failing by.", "",
             "| test | kills | alone | what for |", "|---|---|---|---|"]
    for test in ranked:
        kills, alone = table[test]
        if kills:
            lines.append(f"| `{test}` | {len(kills)} | {len(alone)} | "
                         f"{'' if alone else purpose(test)} |")
    silent = [t for t in ranked if not table[t][0]]
    lines += ["", f"{len(silent)} tests kill no mutant:", ""]
    return lines + [f"- `{t}`: {purpose(t)}" for t in silent]


def put_into_readme(readme, out):
    """The tables between the marks are those of the last report."""
    with open(readme, encoding="utf-8") as source:
        before, _, rest = source.read().partition(MARK_BEGIN)
    after = rest.partition(MARK_END)[2]
    with open(os.path.join(out, "mutants.md"), encoding="utf-8") as source:
        tables = source.read()
    replace(os.path.dirname(readme), os.path.basename(readme),
            f"{before}{MARK_BEGIN}\n{tables}{MARK_END}{after}")


def write(out, mutants, results, tests, count):
    table = score.by_test(results.values(), tests)
    everything = {
        "totals": count,
        "mutants": {m.name: {"file": m.file, "what": m.what, "user_sees": m.user_sees,
                             "properties": m.properties, "reference": m.reference,
                             "equivalent": m.equivalent, **asdict(results[m.name])}
                    for m in mutants if m.name in results},
        "tests": {t: {"kills": table[t][0], "alone": table[t][1]} for t in tests},
    }
    replace(out, "mutants.json", json.dumps(everything, indent=1) + "\n")
    replace(out, "mutants.html", heat_map(mutants, results, tests, count, table))
    replace(out, "mutants.md", markdown(mutants, results, tests, count, table))
