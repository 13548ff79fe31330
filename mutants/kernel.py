# SPDX-License-Identifier: GPL-2.0
"""A private copy of Debian's kernel source, rebuilt as UML for one mutant after the other."""

import fcntl
import hashlib
import os
import re
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
PRISTINE = "pristine"
MEND = "vm/uml-xstate.patch"       # what UML before 6.13 needs to run on every host
# The last link of a verbose build.
LINKED = " -o vmlinux "
LINK = re.compile(rf"^\+ (\S+ .*{LINKED}.*)$", re.M)
ERROR_LINE = ("error:", "Error ", "***")
DISK_NEEDED = 6 << 30           # source links, objects, kernels and logs

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


def lock(base):
    """One process at a time uses @base. The lock lasts as long as what is returned."""
    try:
        os.makedirs(base, exist_ok=True)
        held = open(os.path.join(base, "lock"), "w", encoding="utf-8")
    except OSError as error:
        raise Trouble(f"{error.filename}: {error.strerror}") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Trouble(f"another run uses {base} (FUSE_CACHE_DIR names another one)") from None
    if shutil.disk_usage(base).free < DISK_NEEDED:
        raise Trouble(f"{base}: less than {DISK_NEEDED >> 30} GiB free")
    return held


class Tree:
    """Built in @base: tree/ (links to the source), @objects/, pristine/ (what may be mutated).

    @extra: more configuration; @variables: more of make's.
    """

    def __init__(self, base, objects="objects", extra=(), variables=()):
        self.base, self.variables = base, variables
        self.tree, self.objects = os.path.join(base, "tree"), os.path.join(base, objects)
        self.pristine = os.path.join(base, "pristine")
        self.spare = self.objects + ".spare"
        self.linking = os.path.join(self.objects, "link.command")
        self.scratch = os.path.join(base, "scratch.c")
        self.configs = [os.path.join(TOP, c) for c in (*CONFIGS, *extra)]
        self.link_command = None

    # --- source -----------------------------------------------------------

    def source(self):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", SOURCE_SCRIPT, "source", TOP,
                               VERSION], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise Trouble(f"no source of Linux {VERSION}")
        return done.stdout.strip().split("\n")[-1]

    def unpack(self):
        mend, stamp = os.path.join(TOP, MEND), os.path.join(self.tree, ".mended")
        if os.path.exists(stamp) and mutants.content(stamp) == mutants.content(mend):
            return
        shutil.rmtree(self.tree, ignore_errors=True)
        source, partial = self.source(), self.tree + ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(self.base, exist_ok=True)
        subprocess.run(["cp", "-al", source, partial], check=True)
        # As vm/build.sh does it. patch(1) writes a new file: the source stays as it is.
        subprocess.run(["patch", "-p1", "-s", "-d", partial, "-i", mend], check=True)
        for place in MUTABLE:
            target = os.path.join(self.pristine, place)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            subprocess.run(["cp", "-rT", os.path.join(source, place), target], check=True)
        shutil.copyfile(mend, os.path.join(partial, ".mended"))
        os.rename(partial, self.tree)

    def pristine_path(self, file):
        path = os.path.join(self.pristine, file)
        if not os.path.exists(path):
            raise mutants.Unusable(f"does not apply: Linux {VERSION} has no {file}")
        return path

    # --- build ------------------------------------------------------------

    def make(self, *goals, verbose=0):
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("MAKEFLAGS", "MAKELEVEL", "O", "KBUILD_OUTPUT")}
        command = ["nice", "-n", "5", "make", *([] if verbose else ["-s"]),
                   f"-j{os.cpu_count()}", "-C", self.tree, f"O={self.objects}", "ARCH=um",
                   "LOCALVERSION=", f"V={verbose}", *self.variables, *goals]
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
        if os.path.exists(self.linking):
            os.remove(self.linking)
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
        if not os.path.exists(self.linking):
            self.build_all()
        self.link_command = mutants.content(self.linking)
        for file in self.lost_objects():
            self.compile(file)
        self.link(into)

    def build_all(self):
        """The kernel's own build, once for a configuration: it looks at every object there is."""
        failed = self.make("linux", verbose=1)
        if failed:
            raise mutants.Unusable(f"does not compile: {failed}")
        log = mutants.content(os.path.join(self.base, "build.log"))
        links = LINK.findall(log)
        if not links:
            raise Trouble(f"the kernel's build does not say how it links: {self.base}/build.log")
        replace(self.linking, links[-1])

    def lost_objects(self):
        """Sources of objects that were dropped and not made again."""
        for directory, _, names in os.walk(self.pristine):
            for name in names:
                file = os.path.relpath(os.path.join(directory, name), self.pristine)
                if not file.endswith(".c") or os.path.exists(self.object(file)):
                    continue
                folder, object_name = os.path.split(self.object(file))
                if os.path.exists(os.path.join(folder, f".{object_name}.cmd")):
                    yield file

    def link(self, into):
        """The last step of the kernel's own build, without its detours.

        Two thirds of the time of an incremental build go to looking at what did not
        change and to the kernel's symbol table, which stays that of the last full
        build: names in a trace may be off by a few bytes, nothing else depends on it.
        """
        command = self.link_command.replace(LINKED, f" -o {into}.partial ", 1)
        self.run_command(command, "does not link")
        os.replace(into + ".partial", into)

    def run_command(self, command, complaint):
        done = subprocess.run(["nice", "-n", "5", "sh", "-c", command], cwd=self.objects,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in done.stderr.split("\n") if any(w in line for w in ERROR_LINE)]
            raise mutants.Unusable(f"{complaint}: {(said or [done.stderr.strip()[-200:]])[0]}")

    def compile(self, file):
        """Compile one object with the very command of the last full build."""
        directory, name = os.path.split(self.object(file))
        try:
            saved = mutants.content(os.path.join(directory, f".{name}.cmd"))
        except OSError:
            raise mutants.Unusable(f"{file} is not part of the kernel") from None
        self.run_command(saved.split("\n", 1)[0].split(":=", 1)[1].strip(), "does not compile")

    def prepare(self):
        shutil.rmtree(self.spare, ignore_errors=True)
        try:
            self.unpack()
            self.restore()
            self.configure()
        except OSError as error:
            raise Trouble(f"{error.filename}: {error.strerror}") from None
        except subprocess.CalledProcessError as error:
            raise Trouble(f"{self.tree} cannot be made: {' '.join(error.cmd)} fails") from None

    def build_pristine(self, into):
        """The kernel without a mutant. Returns the word it announces."""
        self.restore()
        text = mutants.content(self.pristine_path(CARRIER))
        word = f"{PRISTINE} {sha(text)[:16]}"
        self.put(CARRIER, mutants.announced(text, word))
        try:
            self.build(into)
            notes = self.coverage_notes()
        finally:
            self.put_back(CARRIER)
        if notes:
            with open(self.notes_path(), "wb") as out:
                out.write(notes)
        return word

    def notes_path(self):
        return self.object(CARRIER).removesuffix(".o") + ".gcno"

    def coverage_notes(self):
        """What gcov needs of the kernel just built; compiling once more replaces it."""
        if not os.path.exists(self.notes_path()):
            return b""
        with open(self.notes_path(), "rb") as source:
            return source.read()

    def put_back(self, file):
        """The source as it was, and its object."""
        self.put(file, mutants.content(self.pristine_path(file)))
        spare = os.path.join(self.spare, file.replace("/", "-") + ".o")
        if not os.path.exists(spare):
            os.makedirs(self.spare, exist_ok=True)
            self.compile(file)
            shutil.copyfile(self.object(file), spare + ".partial")
            os.replace(spare + ".partial", spare)
        shutil.copyfile(spare, self.object(file))

    def compile_mutant(self, mutant):
        """Compile the object of @mutant. Returns the word its kernel announces."""
        text = mutants.apply(mutant, self.pristine_path(mutant.file), ISOS, self.scratch)
        word = f"{mutant.name} {sha(text)[:16]}"
        self.put(mutant.file, mutants.announced(text, word))
        self.compile(mutant.file)
        return word

    def build_mutant(self, mutant, into=None):
        """The kernel with @mutant, or only its object. Returns the word it announces."""
        stray = self.changed()
        if stray:
            raise Trouble(f"{stray[0]} is mutated already")
        try:
            word = self.compile_mutant(mutant)
            if into:
                self.link(into)
                with open(into, "rb") as image:
                    if word.encode() not in image.read():
                        raise mutants.Unusable(f"{mutant.file} is not part of the kernel")
            return word
        except OSError as error:
            raise Trouble(f"{error.filename or into}: {error.strerror}") from None
        finally:
            self.put_back(mutant.file)
