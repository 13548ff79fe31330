# SPDX-License-Identifier: GPL-2.0
"""Samples of the program `measure` and what they say: ratios, spread, alarm."""

import statistics

BASE = "backing"
# Lines of `measure`, in KTAP of whatever depth.
SAMPLE, SERVER, SETTING = "sample", "server", "setting"


class Unreadable(Exception):
    """What was read is not what `measure` or bench/run writes."""


def read_samples(lines):
    """Settings, {cell: {target: [rate]}} and {cell: {target: cost}} of `measure`'s lines."""
    settings, rates, costs = {}, {}, {}
    for line in lines:
        words = line.lstrip("# ").split()
        try:
            if words[:1] == [SETTING]:
                settings[words[1]] = " ".join(words[2:])
            elif words[:1] == [SAMPLE]:
                _, cell, target, rate = words
                rates.setdefault(cell, {}).setdefault(target, []).append(float(rate))
            elif words[:1] == [SERVER]:
                _, cell, target, *numbers = words
                cost = costs.setdefault(cell, {}).setdefault(target, [0, 0, 0])
                costs[cell][target] = [a + int(b) for a, b in zip(cost, numbers, strict=True)]
        except (ValueError, IndexError) as error:
            raise Unreadable(f"not a line of measure: {line.strip()}") from error
    if not rates:
        raise Unreadable("there is no sample in it")
    return settings, rates, costs


def ratio(rates, base):
    """Of rates taken in turn with those of the base: median and the middle half."""
    pairs = sorted(a / b for a, b in zip(rates, base) if b)
    if not pairs:
        raise Unreadable("the backing file system itself did nothing")
    if len(pairs) == 1:
        return {"ratio": pairs[0], "low": pairs[0], "high": pairs[0]}
    low, _, high = statistics.quantiles(pairs, n=4, method="inclusive")
    return {"ratio": statistics.median(pairs), "low": low, "high": high}


def evaluate(lines):
    """What goes into the JSON."""
    settings, rates, costs = read_samples(lines)
    cells = {}
    for cell, targets in rates.items():
        if BASE not in targets:
            raise Unreadable(f"{cell} was not measured on the backing file system")
        cells[cell] = {}
        for target, samples in targets.items():
            found = {"rate": statistics.median(samples), "samples": samples}
            if target != BASE:
                found |= ratio(samples, targets[BASE])
                seconds = len(samples) * int(settings.get("ms", 0)) / 1000
                cpu, requests, getxattr = costs.get(cell, {}).get(target, (0, 0, 0))
                found |= {"server_cpu_ns": cpu, "server_requests": requests,
                          "server_getxattr": getxattr,
                          "server_load": cpu / 1e9 / seconds if seconds else 0}
            cells[cell][target] = found
    return {"format": 1, "settings": settings, "cells": cells}


def regressions(now, before, tolerance):
    """Lines about ratios that fell by more than the tolerance and out of their spread."""
    for cell, targets in before["cells"].items():
        for target, old in targets.items():
            if target == BASE:
                continue
            new = now["cells"].get(cell, {}).get(target)
            if new is None:
                yield f"{cell} {target}: no longer measured"
            elif new["ratio"] < old["ratio"] * (1 - tolerance) and new["high"] < old["low"]:
                yield (f"{cell} {target}: ratio {new['ratio']:.3f}, was {old['ratio']:.3f} "
                       f"({old['low']:.3f} to {old['high']:.3f})")


def targets_of(result):
    """Names of what was compared with the base, in the order measured."""
    names = {}
    for targets in result["cells"].values():
        names |= dict.fromkeys(targets)
    names.pop(BASE, None)
    return list(names)


def number(value):
    """Four digits at most, and a letter."""
    for unit in ("", "k", "M", "G"):
        if value < 1000:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g}T"


def table(result):
    """Lines of Markdown."""
    names = targets_of(result)
    yield "| | " + BASE + "/s | " + " | ".join(names) + " | server of passthrough |"
    yield "|---|--:|" + "--:|" * len(names) + "--:|"
    for cell, targets in result["cells"].items():
        row = [f"`{cell}`", number(targets[BASE]["rate"])]
        for name in names:
            found = targets.get(name)
            if found is None:
                row.append("")
                continue
            spread = max(found["high"] - found["ratio"], found["ratio"] - found["low"])
            row.append(f"{found['ratio']:.2f} ± {spread:.2f}")
        load = targets.get("passthrough", {}).get("server_load")
        row.append("" if load is None else f"{100 * load:.1f} %")
        yield "| " + " | ".join(row) + " |"


def tsv(result):
    """Lines for bench/plot.gp."""
    names = targets_of(result)
    yield "\t".join(["cell"] + [word for name in names for word in (name, "low", "high")])
    for cell, targets in result["cells"].items():
        row = [cell]
        for name in names:
            found = targets.get(name)
            row += ["-"] * 3 if found is None else [
                f"{found[key]:.5f}" for key in ("ratio", "low", "high")]
        yield "\t".join(row)
