#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make a private copy of a kernel tree equal to the tree plus staged changes.

usage: sync.py [--link] TREE STAGE COPY      bring COPY up to date
       sync.py --state TREE STAGE            print a hash of what COPY would be

A file of COPY is rewritten only when its contents differ, so that make rebuilds
what changed and nothing else; going back to an older state counts as a change.
--link: TREE never changes, so its files are hard-linked rather than copied.
Files that git ignores, or build products of a tree without git, stay behind.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys

MANIFEST = ".manifest.json"     # of a copy of a tree that may change: every file with its stamps
STAGED = ".staged.json"         # of a copy of one that never does: what differs from it
PRODUCTS = (".o", ".a", ".ko", ".cmd", ".mod", ".mod.c", ".order", ".symvers", ".d", ".tmp")
PRODUCT_DIRS = {".git", "include/config", "include/generated"}


def git_files(tree):
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", tree, "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, check=False)
    if done.returncode:
        raise OSError(1, done.stderr.decode(errors="replace").strip(), tree)
    return [n.decode(errors="surrogateescape") for n in done.stdout.split(b"\0") if n]


def walked_files(tree):
    for directory, subdirs, names in os.walk(tree):
        relative = os.path.relpath(directory, tree)
        prefix = "" if relative == "." else relative + "/"
        subdirs[:] = [d for d in subdirs if prefix + d not in PRODUCT_DIRS and
                      not (prefix.endswith("/include/") and d == "generated")]
        for name in names:
            # Files of the tree that start with a dot are tools' settings, all but .config.
            if name.endswith(PRODUCTS) or (name.startswith(".config") and not prefix):
                continue
            yield prefix + name
        for name in list(subdirs):
            if os.path.islink(os.path.join(directory, name)):
                subdirs.remove(name)
                yield prefix + name


def stamp(path):
    status = os.lstat(path)
    return [status.st_size, status.st_mtime_ns]


def wanted(tree, stage):
    """{name: path of the file that provides it}"""
    names = git_files(tree) if os.path.exists(os.path.join(tree, ".git")) else walked_files(tree)
    found = {n: os.path.join(tree, n) for n in names}
    for directory, _, files in os.walk(stage):
        for file in files:
            path = os.path.join(directory, file)
            name = os.path.relpath(path, stage)
            if name.endswith(".deleted"):
                found.pop(name.removesuffix(".deleted"), None)
            else:
                found[name] = path
    return {n: p for n, p in found.items() if os.path.lexists(p)}


def state(tree, stage):
    digest = hashlib.sha256()
    for name, path in sorted(wanted(tree, stage).items()):
        digest.update(name.encode(errors="surrogateescape"))
        if path.startswith(stage + os.sep):
            with open(path, "rb") as source:
                digest.update(hashlib.sha256(source.read()).digest())
        else:
            digest.update(repr(stamp(path)).encode())
    return digest.hexdigest()[:16]


def same(one, two):
    if os.path.islink(one) or os.path.islink(two):
        return os.path.islink(one) and os.path.islink(two) and os.readlink(one) == os.readlink(two)
    if os.path.getsize(one) != os.path.getsize(two):
        return False
    with open(one, "rb") as a, open(two, "rb") as b:
        return a.read() == b.read()


def place(source, target, link):
    """A fresh file with a fresh time: make compares times, not contents."""
    if os.path.lexists(target):
        os.unlink(target)
        link = False
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    elif link:
        os.link(source, target)
    else:
        shutil.copyfile(source, target)
        shutil.copymode(source, target)


def staged(stage):
    """Names of files that the stage changes or deletes."""
    return {os.path.relpath(os.path.join(d, f), stage).removesuffix(".deleted")
            for d, _, files in os.walk(stage) for f in files}


def update_fixed(tree, stage, copy):
    """The tree never changes: only what is staged now or was the last time can differ."""
    path = os.path.join(copy, STAGED)
    with open(path, encoding="utf-8") as source:
        before = set(json.load(source))
    names, changed = staged(stage), 0
    save(path, sorted(names | before))      # a run killed halfway leaves both to be looked at
    for name in names | before:
        target = os.path.join(copy, name)
        sources = [os.path.join(d, name) for d in (stage, tree)]
        source = next((s for s in sources if os.path.lexists(s)), None)
        if not source or os.path.exists(os.path.join(stage, name + ".deleted")):
            changed += os.path.lexists(target)
            if os.path.lexists(target):
                os.unlink(target)
        elif not os.path.lexists(target) or not same(source, target):
            place(source, target, False)
            changed += 1
    save(path, sorted(names))
    return changed


def save(path, content):
    with open(path + ".partial", "w", encoding="utf-8") as out:
        json.dump(content, out)
    os.replace(path + ".partial", path)


def update(tree, stage, copy, link):
    """Returns the number of files written or removed."""
    path = os.path.join(copy, MANIFEST)
    if link and os.path.exists(os.path.join(copy, STAGED)) and not os.path.exists(path):
        return update_fixed(tree, stage, copy)
    manifest, changed = {}, 0
    if os.path.exists(path):
        with open(path, encoding="utf-8") as source:
            manifest = json.load(source)
        os.unlink(path)     # a copy that was left halfway has none and is compared in full
    files = wanted(tree, stage)
    present = set(manifest) or set(walked_files(copy))
    for name in present - set(files):
        target = os.path.join(copy, name)
        if os.path.lexists(target):
            os.unlink(target)
            changed += 1
    fresh = {}
    for name, source in files.items():
        target = os.path.join(copy, name)
        exists = os.path.lexists(target)
        known = [source, stamp(source), stamp(target) if exists else None]
        if manifest.get(name) != known:
            if not exists or not same(source, target):
                place(source, target, link and source.startswith(tree + os.sep))
                changed += 1
            known[2] = stamp(target)
        fresh[name] = known
    if link:
        save(os.path.join(copy, STAGED), sorted(staged(stage)))
    else:
        save(path, fresh)
    return changed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--link", action="store_true")
    parser.add_argument("--state", action="store_true")
    parser.add_argument("tree")
    parser.add_argument("stage")
    parser.add_argument("copy", nargs="?")
    args = parser.parse_args()
    if args.state:
        print(state(args.tree, args.stage))
    else:
        print(update(args.tree, args.stage, args.copy, args.link))


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
