# SPDX-License-Identifier: GPL-2.0
"""Break the kernel in one place after the other and see whether the suite notices.

usage: mutants/run [option ...] [NAME ...]

NAME is a mutant, or the beginning of names ("splice-"); all of them by default.
Each is applied to a private copy of Debian's Linux 6.12, built as User-mode
Linux, booted, and the suite is run on it. The kernel without a mutant has to
pass before and after. What was judged once, with the same suite, is not judged
again: an interrupted run goes on where it ended.

  --list           the mutants and what is known of them; runs nothing
  --report         write the results from what was judged so far; runs nothing
  --readme         ... and puts the tables into mutants/README.md
  --apply-only     apply and compile, boot nothing
  --first-kill     stop at the first test that notices a mutant
  --known          run only the test that is on record (mutants/killers.txt)
  --repeat N       run what killed a mutant again, N times in all
  --again          judge even what was judged before
  --jobs N         guests at a time (processors, as far as memory allows)
  --fs LIST        on these backing file systems, or all (tmpfs,ext4)
  --programs LIST  only these programs of the suite
  --program-timeout S   of one program (what all of them take without a mutant, 60 at least)
  --suite DIR      programs built before (make static OUTPUT=DIR)
  --out DIR        mutants.json, mutants.html, mutants.md, logs/ (build/mutants)
Exit: 0 every mutant that is not equivalent was killed   1 survivors, or mutants
that could not be judged   2 wrong use   130 interrupted   200 machine trouble
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict

import guest
import hints
import kernel
import mutant as mutants
import page
import score
from kernel import HERE, PRISTINE, TOP, Trouble

EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_INTERRUPTED, EXIT_TROUBLE = 0, 1, 2, 130, 200
GUEST_MEMORY = 1200 << 20       # of one UML guest and what watches it
RECORD = os.path.join(HERE, "killers.txt")
PRISTINE_TIMEOUT = 300          # seconds a program, before it is known what they take
LEAST_TIMEOUT = 60
HOST_TRIES = 2                  # a guest that could not be started gets another try


def say(text):
    print(text, flush=True)


def usage(text):
    print(f"mutants/run: {text}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


def arguments():
    parser = argparse.ArgumentParser(add_help=False)
    for name in ("--list", "--report", "--readme", "--apply-only", "--first-kill", "--known",
                 "--again", "--help"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--fs", default=",".join(hints.QUICKEST))
    parser.add_argument("--programs", default="")
    parser.add_argument("--suite", default="")
    parser.add_argument("--program-timeout", type=int, default=0)
    parser.add_argument("--out", default=os.path.join(TOP, "build", "mutants"))
    parser.add_argument("names", nargs="*")
    parser.error = usage
    args = parser.parse_args()
    if args.help:
        print(__doc__.strip())
        sys.exit(EXIT_PASS)
    args.report |= args.readme
    args.first_kill |= args.known
    if args.repeat < 1 or args.jobs < 0:
        usage("--repeat and --jobs want a positive number")
    return args


def chosen(all_mutants, names):
    if not names:
        return all_mutants
    found = []
    for name in names:
        name = name.removesuffix(".cocci")
        fits = [m for m in all_mutants if m.name == name] or \
            [m for m in all_mutants if m.name.startswith(name)]
        if not fits:
            usage(f"no mutant '{name}' (--list shows them)")
        found += [m for m in fits if m not in found]
    return found


def cache_directory():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get("FUSE_CACHE_DIR") or os.path.join(home, "fuse-selftests")


def jobs_possible():
    pages = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(os.cpu_count() or 1, pages // GUEST_MEMORY))


def build_suite(out):
    """Not in the cache: another copy of the project may have other tests."""
    suite = os.path.join(out, "suite")
    say("building the suite")
    done = subprocess.run(["make", "-s", "-C", TOP, "static", f"OUTPUT={suite}"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Trouble("the suite does not build: " + done.stdout.strip().split("\n")[-1])
    return suite


class Session:
    guests = None

    def __init__(self, args, selected):
        self.args, self.selected = args, selected
        self.base = os.path.join(cache_directory(), "mutants")
        self.prepare_directories()
        self.tree = kernel.Tree(self.base)
        self.results = {}
        self.pristine = None
        self.started = time.monotonic()
        self.judged_now = 0
        self.warned = 0

    def prepare_directories(self):
        try:
            os.makedirs(os.path.join(self.args.out, "logs"), exist_ok=True)
        except OSError as error:
            raise Trouble(f"{error.filename}: {error.strerror}") from None
        if not self.args.report:
            self.lock = kernel.lock(self.base)

    def prepare(self):
        if not self.args.report:
            say(f"preparing Linux {kernel.VERSION} in {self.tree.tree}")
            self.tree.prepare()
        if self.args.apply_only:
            return
        suite = self.args.suite or build_suite(self.args.out)
        self.guests = guest.Guests(suite, os.path.join(self.args.out, "logs"), self.args.fs,
                                   self.args.program_timeout or PRISTINE_TIMEOUT)
        if self.args.programs:
            self.guests.only(self.args.programs.split(","))
        if not self.guests.programs:
            raise Trouble(f"{suite}: none of these programs is there")
        self.hints = hints.Hints(TOP, RECORD, self.guests)
        if self.args.known:
            self.recorded_only()
        self.identity = self.guests.identity()
        self.store = score.Store(os.path.join(self.base, "results"), self.identity)

    def recorded_only(self):
        tests = {m.name: self.hints.recorded(m) for m in self.selected}
        # Nobody is expected to notice these.
        self.selected = [m for m in self.selected if tests[m.name] or not m.equivalent]
        lacking = [m.name for m in self.selected if not tests[m.name]]
        if lacking:
            usage(f"{lacking[0]}: {RECORD} has no test that these programs and file systems can run")
        self.guests.only_tests(set().union(*tests.values()))

    def image(self, name):
        return os.path.join(self.base, f"kernel-{name}")

    def key(self, mutant):
        config = "".join(mutants.content(c) for c in self.tree.configs)
        return kernel.sha(self.identity + config + mutants.content(mutant.path))[:16]

    # --- the kernel without a mutant ----------------------------------------

    def pristine_before(self):
        """Judged once for a suite; "after" is always judged."""
        known = os.path.join(self.base, f"pristine-{self.identity}.json")
        if os.path.exists(known) and not self.args.again:
            self.tree.build_pristine(self.image(PRISTINE))
            say("pristine before: passed with this suite")
            return guest.Verdict(**json.loads(mutants.content(known)))
        verdict = self.run_pristine("before")
        kernel.replace(known, json.dumps(asdict(verdict)))
        return verdict

    def run_pristine(self, when):
        start, image = time.monotonic(), self.image(PRISTINE)
        word = self.tree.build_pristine(image)
        built = time.monotonic() - start
        verdict = self.guests.run(image, f"{PRISTINE}-{when}")
        self.check_object(verdict, word)
        if verdict.status != 0:
            broken = [t for t, o in verdict.tests.items() if o == "fail"] + \
                [text for *_, text in verdict.problems]
            raise Trouble(f"the kernel without a mutant fails {when}: "
                          f"{broken[0] if broken else 'status ' + str(verdict.status)}"
                          f" ({len(broken)} in all; {self.args.out}/logs/{PRISTINE}-{when})")
        say(f"pristine {when}: passes, {len(verdict.tests)} tests  "
            f"(build {built:.1f} s, tests {verdict.seconds:.1f} s)")
        return verdict

    @staticmethod
    def check_object(verdict, word):
        """The kernel that ran carries the object that was built for it."""
        if verdict.heard and verdict.heard != [word]:
            raise mutants.Unusable(f"another object was tested: {' '.join(verdict.heard)}")
        if not verdict.heard and verdict.tests:
            raise mutants.Unusable("the kernel did not say which object it carries")

    # --- one mutant ---------------------------------------------------------

    def stages(self, mutant):
        """Groups of programs, each one boot; all of them at once without --first-kill."""
        if not self.args.first_kill:
            return [()]
        if self.args.known:
            return [tuple(self.hints.record[mutant.name])]
        first = self.hints.likely(mutant, self.store.load(mutant.name))
        rest = tuple(p for p in self.guests.programs if p not in first)
        return [first, rest] if rest else [first]

    def run_guest(self, mutant, image, programs, suffix=""):
        enough = self.is_news if self.args.first_kill else None
        for attempt in range(HOST_TRIES):
            try:
                return self.guests.run(image, mutant.name + suffix, programs, enough)
            except Trouble:
                if attempt + 1 == HOST_TRIES:
                    raise

    def is_news(self, test):
        return self.pristine.tests.get(test) != "fail"

    def judge(self, mutant, image, word, result):
        """Fill @result by booting @image. Runs on a thread of its own."""
        start = time.monotonic()
        stages = self.stages(mutant)
        for number, programs in enumerate(stages):
            verdict = self.run_guest(mutant, image, programs)
            if not verdict.stopped:
                self.check_object(verdict, word)
            result.killers.update(guest.killers(self.pristine, verdict))
            result.noticed.update(guest.noticed(self.pristine, verdict))
            if not verdict.heard and not verdict.stopped and not result.killers:
                raise mutants.Unusable("does not boot")
            if result.killers:
                break
        result.complete = not self.args.known and not verdict.stopped and number + 1 == len(stages)
        result.kills, result.runs = {test: 1 for test in result.killers}, 1
        if result.killers:
            self.repeat(mutant, image, result)
        result.state = score.KILLED if result.killers else score.SURVIVED
        result.run_seconds = round(time.monotonic() - start, 1)
        return result

    def repeat(self, mutant, image, result):
        known = self.guests.programs
        programs = {t.split(":")[0] for t in result.killers}
        if not result.complete and hints.best(result.killers):
            programs = [t for t in result.killers if ": " in t]
        elif programs <= set(known):
            programs = sorted(programs)
        else:
            programs = known
        for number in range(1, self.args.repeat):
            verdict = self.run_guest(mutant, image, programs, f".{number + 1}")
            for test in guest.killers(self.pristine, verdict):
                if test in result.kills:
                    result.kills[test] += 1
            result.runs += 1

    # --- all of them ----------------------------------------------------------

    def line(self, result, mutant):
        self.judged_now += 1
        done, total = len(self.results), len(self.selected)
        rate = (time.monotonic() - self.started) / self.judged_now
        left = int(rate * (total - done))
        how = result.error
        if result.state == score.KILLED:
            first = min(result.killers, key=lambda t: score.KINDS.index(result.killers[t]))
            how = f"{result.killers[first]} {first}"
            if len(result.killers) > 1:
                how += f" and {len(result.killers) - 1} more"
            if not result.steady:
                how += f"  NOT EVERY TIME ({max(result.kills.values())} of {result.runs})"
        elif result.state == score.SURVIVED:
            how = "equivalent" if mutant.equivalent else "should break " + ", ".join(mutant.properties)
        say(f"[{done:3}/{total} {left // 60:3}:{left % 60:02} left] {result.state:8} {mutant.name}: {how}"
            f"  (build {result.build_seconds:.1f} s, run {result.run_seconds:.1f} s)")

    def finish(self, mutant, result):
        self.results[mutant.name] = result
        try:
            self.store.save(result)
        except OSError as error:
            raise Trouble(f"{error.filename}: {error.strerror}") from None
        self.line(result, mutant)

    def error(self, mutant, key, text):
        self.finish(mutant, score.Result(mutant.name, key, score.ERROR, error=text))

    def collect(self, running, everything):
        """Take in what is ready; at least one when the pool is full."""
        if not running:
            return
        limit = None if everything or len(running) >= self.jobs else 0
        ready, _ = wait(running, timeout=limit, return_when=FIRST_COMPLETED)
        for future in ready:
            mutant, key, image = running.pop(future)
            try:
                self.finish(mutant, future.result())
            except mutants.Unusable as unusable:
                self.error(mutant, key, str(unusable))
            finally:
                if os.path.exists(image):
                    os.remove(image)

    def load_known(self):
        known = os.path.join(self.base, f"pristine-{self.identity}.json")
        if not os.path.exists(known):
            raise Trouble("nothing was judged with this suite yet")
        self.pristine = guest.Verdict(**json.loads(mutants.content(known)))
        for mutant in self.selected:
            before = self.store.load(mutant.name, self.key(mutant))
            if before:
                self.results[mutant.name] = before

    def known(self):
        """Take over what was judged before with the same suite; returns the others."""
        left = []
        for mutant in self.selected:
            before = self.store.load(mutant.name, self.key(mutant))
            good = before and before.state != score.ERROR and not self.args.again and \
                before.runs >= self.args.repeat * (before.state == score.KILLED) and \
                (before.complete or self.args.first_kill)
            if good:
                self.results[mutant.name] = before
            else:
                left.append(mutant)
        if self.results:
            say(f"{len(self.results)} were judged before (--again judges them anew)")
        return left

    def run_all(self):
        left, running = self.known(), {}
        self.jobs = self.args.jobs or jobs_possible()
        with ThreadPoolExecutor(self.jobs) as pool:
            try:
                for mutant in left:
                    key, image, start = self.key(mutant), self.image(mutant.name), time.monotonic()
                    result = score.Result(mutant.name, key, score.ERROR)
                    try:
                        word = self.tree.build_mutant(mutant, image)
                    except mutants.Unusable as unusable:
                        self.error(mutant, key, str(unusable))
                        continue
                    result.object = word
                    result.build_seconds = round(time.monotonic() - start, 1)
                    running[pool.submit(self.judge, mutant, image, word, result)] = \
                        (mutant, key, image)
                    self.collect(running, False)
                while running:
                    self.collect(running, True)
            except BaseException:
                for future in running:
                    future.cancel()
                self.guests.stop()
                raise
            finally:
                for _, _, image in running.values():
                    if os.path.exists(image):
                        os.remove(image)
        return bool(left)

    def apply_only(self):
        self.tree.build_pristine(self.image(PRISTINE))
        for mutant in self.selected:
            result = score.Result(mutant.name, "", score.ERROR)
            try:
                self.tree.build_mutant(mutant)
                result.state = score.SURVIVED
            except mutants.Unusable as unusable:
                result.error = str(unusable)
                say(f"error: {mutant.name}: {result.error}")
            self.results[mutant.name] = result
        wrong = sum(bool(r.error) for r in self.results.values())
        say(f"{len(self.results)} mutants, {wrong} do not apply or compile")
        return EXIT_FAIL if wrong else EXIT_PASS

    def report(self):
        results = list(self.results.values())
        tests = sorted({score.without_variant(t) for t in self.pristine.tests})
        count = score.totals(self.selected, results)
        page.write(self.args.out, self.selected, self.results, tests, count)
        if self.args.readme:
            page.put_into_readme(os.path.join(HERE, "README.md"), self.args.out)
            hints.write_record(RECORD, results)
        say(f"{count['mutants']} mutants: {count['killed']} killed, {count['survived']} survived, "
            f"{count['equivalent']} equivalent, {count['error']} not judged; "
            f"score {count['score']} %")
        for mutant in self.selected:
            result = self.results.get(mutant.name)
            if result and result.state == score.SURVIVED and not mutant.equivalent:
                say(f"  survivor: {mutant.name}: should break {', '.join(mutant.properties)}")
            elif result and result.state == score.KILLED and mutant.equivalent:
                say(f"  not equivalent after all: {mutant.name}")
            elif result and result.state == score.KILLED and not result.steady:
                say(f"  not killed every time: {mutant.name}")
        say(f"results: {self.args.out}/mutants.html")
        unsteady = any(r.state == score.KILLED and not r.steady for r in results)
        bad = count["survived"] + count["error"] + count["wrongly_equivalent"] + unsteady
        return EXIT_FAIL if bad else EXIT_PASS

    def run(self):
        try:
            return self.run_to_end()
        finally:
            if self.guests:
                self.guests.stop()

    def run_to_end(self):
        self.prepare()
        if self.args.apply_only:
            return self.apply_only()
        if self.args.report:
            self.load_known()
            return self.report()
        self.pristine = self.pristine_before()
        if not self.args.program_timeout:
            self.guests.program_timeout = max(LEAST_TIMEOUT, int(self.pristine.seconds))
        self.started = time.monotonic()
        if self.run_all():
            self.run_pristine("after")
        return self.report()


def show_list(selected):
    store = score.Store(os.path.join(cache_directory(), "mutants", "results"))
    for mutant in selected:
        known = store.load(mutant.name)
        state = "equivalent" if mutant.equivalent else known.state if known else "-"
        print(f"{state:10} {mutant.name}  {', '.join(mutant.properties)}")


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, interrupted)
    selected = chosen(mutants.read_all(HERE), args.names)
    if args.list:
        show_list(selected)
        return EXIT_PASS
    return Session(args, selected).run()


def guarded():
    """main(), with one clear line for what goes wrong."""
    try:
        return main()
    except KeyboardInterrupt:
        print("mutants/run: interrupted; the same command goes on from here", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Trouble as trouble:
        print(f"mutants/run: {trouble}", file=sys.stderr)
        return EXIT_TROUBLE
    except mutants.Unusable as unusable:
        print(f"mutants/run: {unusable}", file=sys.stderr)
        return EXIT_FAIL
