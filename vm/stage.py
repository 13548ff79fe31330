#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Apply changes to copies of the files they touch; the tree itself stays as it is.

usage: stage.py patch TREE STAGE PATCH_FILE
       stage.py cocci TREE STAGE SEMANTIC_PATCH

STAGE receives the changed files; a file that is gone leaves NAME.deleted there.
vm/sync.py lays STAGE over TREE. Exits 1 with one line that says what did not
apply: patch, file and hunk.
"""

import os
import re
import shutil
import subprocess
import sys

FILE_LINE = re.compile(r"^(?:---|\+\+\+) (\S+)", re.M)
RENAME_LINE = re.compile(r"^(?:rename|copy) (?:from|to) (\S+)", re.M)
BREAKS = re.compile(r"^(?://|#|\s*\*)?\s*Breaks:\s*(\S.*)$", re.M)
FAILED = re.compile(r"^Hunk #(\d+) FAILED at (\d+)")
SEARCHED = ("fs/fuse", "fs/backing-file.c")


def fail(text):
    sys.exit(text)


def touched(text):
    names = {name.split("/", 1)[-1] for name in FILE_LINE.findall(text) if name != "/dev/null"}
    return sorted(names | set(RENAME_LINE.findall(text)))


def fetch(tree, stage, name):
    """Have the current state of a file in the stage."""
    target, source = os.path.join(stage, name), os.path.join(tree, name)
    if os.path.exists(target) or os.path.exists(target + ".deleted"):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.exists(source):
        shutil.copyfile(source, target)


def title(patch, text):
    first = text.split("\n", 1)[0]
    return first[2:] if first.startswith("# ") else os.path.basename(patch)


def why_not(output):
    """The first thing patch(1) complains about, with its file."""
    file = ""
    for line in output.split("\n"):
        if line.startswith("patching file "):
            file = line.split(" ", 2)[2].strip("'")
        hunk = FAILED.match(line)
        if hunk:
            return f"{file}: hunk {hunk[1]} (line {hunk[2]})"
        if "No file to patch" in line or "can't find file" in line:
            return "a file it changes does not exist"
        if "malformed" in line or "Only garbage" in line:
            return line.split(": ", 1)[-1].strip("* ")
        if "Reversed (or previously applied)" in line:
            return f"{file}: is applied already"
    return output.strip().split("\n")[-1]


def apply_patch(tree, stage, patch):
    with open(patch, encoding="utf-8", errors="surrogateescape") as source:
        text = source.read()
    names = touched(text)
    for name in names:
        if name.startswith("/") or ".." in name.split("/"):
            fail(f"patch '{title(patch, text)}' wants to write outside the tree: {name}")
        fetch(tree, stage, name)
    done = subprocess.run(
        ["patch", "-p1", "--forward", "--force", "--no-backup-if-mismatch", "--reject-file=-",
         "-d", stage], input=text.encode(errors="surrogateescape"), capture_output=True,
        env={**os.environ, "LC_ALL": "C"}, check=False)
    if done.returncode:
        output = (done.stdout + done.stderr).decode(errors="replace")
        fail(f"patch '{title(patch, text)}' does not apply: {why_not(output)}")
    for name in names:
        if not os.path.exists(os.path.join(stage, name)) and \
                os.path.exists(os.path.join(tree, name)):
            with open(os.path.join(stage, name + ".deleted"), "w", encoding="utf-8"):
                pass


def cocci_files(tree, text):
    found = BREAKS.search(text)
    if found:
        return [word for word in found[1].split() if word.endswith(".c")]
    names = []
    for place in SEARCHED:
        path = os.path.join(tree, place)
        if os.path.isdir(path):
            names += [f"{place}/{n}" for n in sorted(os.listdir(path)) if n.endswith(".c")]
        elif os.path.exists(path):
            names.append(place)
    return names


def content(path):
    with open(path, "rb") as source:
        return source.read()


def isomorphisms(script):
    """Option for the isomorphisms that stand beside the semantic patch, if any do."""
    own = os.path.join(os.path.dirname(os.path.abspath(script)), "as-written.iso")
    return ["--iso-file", own] if os.path.exists(own) else []


def apply_cocci(tree, stage, script):
    name = os.path.basename(script)
    changed = False
    with open(script, encoding="utf-8") as source:
        files = cocci_files(tree, source.read())
    for file in files:
        fetch(tree, stage, file)
        path = os.path.join(stage, file)
        if not os.path.exists(path):
            fail(f"semantic patch '{name}': the tree has no {file}")
        before = content(path)
        done = subprocess.run(
            ["spatch", "--very-quiet", "--no-includes", *isomorphisms(script), "--in-place",
             "--sp-file", script, path],
            capture_output=True, check=False)
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().split("\n")
            fail(f"semantic patch '{name}': spatch: {lines[-1]}")
        changed |= content(path) != before
    if not changed:
        fail(f"semantic patch '{name}' changes nothing in {' '.join(files)}")


def main():
    kind, tree, stage, change = sys.argv[1:]
    {"patch": apply_patch, "cocci": apply_cocci}[kind](tree, stage, change)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
