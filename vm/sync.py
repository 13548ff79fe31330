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

MANIFEST = ".manifest.json"
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


def update(tree, stage, copy, link):
    """Returns the number of files written or removed."""
    path = os.path.join(copy, MANIFEST)
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
    with open(path + ".partial", "w", encoding="utf-8") as out:
        json.dump(fresh, out)
    os.replace(path + ".partial", path)
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
