# SPDX-License-Identifier: GPL-2.0
"""A private copy of Debian's kernel source, rebuilt as UML for one mutant after the other."""

import hashlib
import os
import shutil
import subprocess

import mutant as mutants

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
VERSION = "6.12"
ISOS = os.path.join(HERE, "as-written.iso")
CONFIGS = ("vm/uml.config", "tools/testing/selftests/fuse/config", "mutants/debug.config")
# Carries the announcement of the kernel without a mutant.
CARRIER = "fs/fuse/passthrough.c"
MUTABLE = ("fs/fuse", "fs/backing-file.c")
ERROR_LINE = ("error:", "Error ", "***")

# Debian's source as run_vm.sh keeps it in the cache; prints its path.
SOURCE_SCRIPT = """
TOP=$1 VM=$1/vm
for part in common options cache out debian source; do . "$VM/$part.sh"; done
begin; cache_begin; source_debian "$2"; echo "$SOURCE_TREE"
"""


class Trouble(Exception):
    """The machine is at fault, not a mutant."""


def sha(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


def file_sha(path):
    with open(path, "rb") as source:
        return sha(source.read())


def replace(path, text):
    """A new file with a new time: make goes by times, and the old one may be a hard link."""
    partial = f"{path}.partial"
    with open(partial, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(partial, path)


class Tree:
    """Built in @base: tree/ (links to the source), objects/, pristine/ (what may be mutated)."""

    def __init__(self, base, extra_config=(), goal="linux"):
        self.base, self.goal = base, goal
        self.tree, self.objects = os.path.join(base, "tree"), os.path.join(base, "objects")
        self.pristine = os.path.join(base, "pristine")
        self.scratch = os.path.join(base, "scratch.c")
        self.configs = [os.path.join(TOP, c) for c in CONFIGS] + list(extra_config)
        self.object_sha = {}    # of the pristine kernel, by source file

    # --- source -----------------------------------------------------------

    def source(self):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", SOURCE_SCRIPT, "source", TOP,
                               VERSION], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise Trouble(f"no source of Linux {VERSION}")
        return done.stdout.strip().split("\n")[-1]

    def unpack(self):
        if os.path.isdir(self.tree):
            return
        source, partial = self.source(), self.tree + ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(self.base, exist_ok=True)
        subprocess.run(["cp", "-al", source, partial], check=True)
        for place in MUTABLE:
            target = os.path.join(self.pristine, place)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            subprocess.run(["cp", "-rT", os.path.join(source, place), target], check=True)
        os.rename(partial, self.tree)

    def pristine_path(self, file):
        path = os.path.join(self.pristine, file)
        if not os.path.exists(path):
            raise mutants.Unusable(f"does not apply: Linux {VERSION} has no {file}")
        return path

    # --- build ------------------------------------------------------------

    def make(self, *goals):
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("MAKEFLAGS", "MAKELEVEL", "O", "KBUILD_OUTPUT")}
        command = ["nice", "-n", "5", "make", "-s", f"-j{os.cpu_count()}", "-C", self.tree,
                   f"O={self.objects}", "ARCH=um", "LOCALVERSION=", *goals]
        with open(os.path.join(self.base, "build.log"), "w+", encoding="utf-8") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment,
                                  start_new_session=True, check=False)
            log.seek(0)
            said = [line.strip() for line in log if any(w in line for w in ERROR_LINE)]
        if done.returncode:
            return (said or ["make failed"])[0]
        return None

    def configure(self):
        os.makedirs(self.objects, exist_ok=True)
        wanted = os.path.join(self.objects, "fragments")
        text = "".join(mutants.content(c) for c in self.configs)
        if os.path.exists(wanted) and mutants.content(wanted) == text:
            return
        replace(wanted + ".new", text)
        failed = self.make(f"KCONFIG_ALLCONFIG={wanted}.new", "allnoconfig")
        if failed:
            raise Trouble(f"cannot configure the kernel: {failed}")
        os.rename(wanted + ".new", wanted)

    def object(self, file):
        return os.path.join(self.objects, file.removesuffix(".c") + ".o")

    def changed(self):
        """Files of the tree that are not as the source has them."""
        found = []
        for directory, _, names in os.walk(self.pristine):
            for name in names:
                file = os.path.relpath(os.path.join(directory, name), self.pristine)
                if file_sha(os.path.join(self.pristine, file)) != \
                        file_sha(os.path.join(self.tree, file)):
                    found.append(file)
        return found

    def put(self, file, text):
        """Write a source file and drop its object: nothing older can be linked again."""
        replace(os.path.join(self.tree, file), text)
        if os.path.exists(self.object(file)):
            os.remove(self.object(file))

    def restore(self):
        for file in self.changed():
            self.put(file, mutants.content(os.path.join(self.pristine, file)))

    def build(self, into):
        """Build what the tree holds; the kernel goes to @into."""
        try:
            failed = self.make(self.goal)
            if failed:
                raise mutants.Unusable(f"does not compile: {failed}")
            shutil.copyfile(os.path.join(self.objects, "linux"), into + ".partial")
            shutil.copymode(os.path.join(self.objects, "linux"), into + ".partial")
            os.replace(into + ".partial", into)
        except OSError as error:
            raise Trouble(f"{error.filename or into}: {error.strerror}") from None

    def prepare(self):
        try:
            self.unpack()
            self.restore()
            self.configure()
        except OSError as error:
            raise Trouble(f"{error.filename}: {error.strerror}") from None

    def build_pristine(self, into):
        """The kernel without a mutant. Returns the word it announces."""
        self.restore()
        text = mutants.content(self.pristine_path(CARRIER))
        word = f"pristine {sha(text)[:16]}"
        self.put(CARRIER, mutants.announced(text, word))
        self.build(into)
        return word

    def compile_mutant(self, mutant):
        """Compile the object of @mutant only: is it usable?"""
        self.restore()
        text = mutants.apply(mutant, self.pristine_path(mutant.file), ISOS, self.scratch)
        self.put(mutant.file, mutants.announced(text, mutant.name))
        try:
            failed = self.make(mutant.file.removesuffix(".c") + ".o")
            if failed:
                raise mutants.Unusable(f"does not compile: {failed}")
        finally:
            self.restore()

    def build_mutant(self, mutant, into):
        """The kernel with @mutant. Returns the word it announces."""
        self.restore()
        stray = self.changed()
        if stray:
            raise Trouble(f"{stray[0]} is mutated already and cannot be restored")
        text = mutants.apply(mutant, self.pristine_path(mutant.file), ISOS, self.scratch)
        word = f"{mutant.name} {sha(text)[:16]}"
        self.put(mutant.file, mutants.announced(text, word))
        try:
            self.build(into)
            with open(into, "rb") as image:
                if word.encode() not in image.read():
                    raise mutants.Unusable(f"{mutant.file} is not part of the kernel")
        finally:
            self.restore()
        return word
