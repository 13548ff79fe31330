#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run one guest and write down what it says.

usage: watch.py --dir DIR --port PATH ... [limits] -- COMMAND ...

COMMAND (an emulator or a UML kernel) runs in a process group of its own; its
standard output is the guest's console. What the guest's init writes to the
report port (vm/guest/wire.h) arrives through the fifos or files given by --port;
only one of them is used by a given guest. DIR receives

    console.log  ktap.log  dmesg.txt  and  guest.json: events, times, how it ended

Events of the guest, first word of an "e" line:
    boot UPTIME RELEASE MACHINE      init runs
    program NAME LIMIT UPTIME TAINT  a test program starts
    exit NAME STATUS UPTIME TAINT    ... and is over
    stuck NAME                       ... and could not be killed
    end NONCE LINES                  everything was run; LINES of KTAP were sent
    error TEXT, dmesg-lost, ...      init's own trouble

KTAP is copied to standard output at once and unchanged. The exit status is 0
whenever the guest could be started: judging is vm/verdict.py's business.
"""

import argparse
import ctypes
import json
import os
import selectors
import signal
import stat
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
GRACE = 30          # seconds a guest may exceed the limit its own init enforces
TERM_WAIT = 2       # seconds from SIGTERM to SIGKILL
LOOK_AGAIN = 0.02   # seconds between two looks whether it has ended
POWEROFF_WAIT = 10  # seconds from the end marker to the end of the emulator
CHUNK = 65536


class Lines:
    """Cut a byte stream into lines."""

    def __init__(self):
        self.rest = b""

    def feed(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines

    def last(self):
        rest, self.rest = self.rest, b""
        return [rest] if rest else []


class Guest:
    def __init__(self, args):
        self.args = args
        self.start = time.monotonic()
        self.events = []
        self.ended = None          # why the watch is over, None: guest powered off
        limit = min(args.boot_limit, args.limit)
        self.deadline = self.start + limit
        self.waiting_for = f"the test init within {limit:g} s of boot"
        self.selector = selectors.DefaultSelector()
        self.tails = []            # ports that are plain files, read as they grow
        self.files = {name: open(os.path.join(args.dir, name), "wb")
                      for name in ("console.log", "ktap.log", "dmesg.txt")}
        self.ktap_lines = 0
        self.shown = True
        self.process = None

    def elapsed(self):
        return round(time.monotonic() - self.start, 3)

    # --- what arrives ---------------------------------------------------

    def on_ktap(self, line):
        self.ktap_lines += 1
        self.files["ktap.log"].write(line + b"\n")
        self.files["ktap.log"].flush()
        if self.args.quiet or not self.shown:
            return
        try:
            sys.stdout.buffer.write(line + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:     # nobody looks any more; the verdict still counts
            self.shown = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def on_event(self, line):
        words = line.decode(errors="replace").split()
        if not words:
            return
        self.events.append({"at": self.elapsed(), "word": words[0], "args": words[1:]})
        if words[0] == "program":
            self.expect(float(words[2]) + GRACE, f"the end of {words[1]}")
        elif words[0] in ("boot", "exit"):
            self.expect(GRACE, "the next program")
        elif words[0] in ("end", "error"):
            self.expect(POWEROFF_WAIT, "power off")

    def expect(self, seconds, what):
        self.deadline = min(time.monotonic() + seconds, self.start + self.args.limit)
        self.waiting_for = what

    def on_report(self, line):
        line = line.rstrip(b"\r")
        kind, text = line[:2], line[2:]
        if kind == b"k ":
            self.on_ktap(text)
        elif kind == b"d ":
            self.files["dmesg.txt"].write(text + b"\n")
        elif kind == b"e ":
            self.on_event(text)

    def on_console(self, line):
        self.files["console.log"].write(line.rstrip(b"\r") + b"\n")
        self.files["console.log"].flush()

    # --- the process ----------------------------------------------------

    def spawn(self):
        libc = ctypes.CDLL(None)
        parent = os.getpid()

        def die_with_parent():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        ports = [os.open(p, os.O_RDONLY | os.O_NONBLOCK) for p in self.args.port]
        # Blocked across the fork: a signal in between must not lose the child.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        try:
            self.process = subprocess.Popen(
                self.args.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_parent)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for port in ports:
            self.watch(port, self.on_report)
        self.watch(self.process.stdout.fileno(), self.on_console)

    def watch(self, fd, handler):
        if stat.S_ISREG(os.fstat(fd).st_mode):
            self.tails.append((fd, Lines(), handler))
            return
        os.set_blocking(fd, False)
        self.selector.register(fd, selectors.EVENT_READ, (Lines(), handler))

    def pump(self, timeout):
        """Handle what is there; returns False once the console is closed."""
        alive = True
        for fd, lines, handler in self.tails:
            for line in lines.feed(os.read(fd, CHUNK)):
                handler(line)
        for key, _ in self.selector.select(timeout):
            lines, handler = key.data
            try:
                data = os.read(key.fd, CHUNK)
            except BlockingIOError:
                continue
            for line in lines.feed(data) if data else lines.last():
                handler(line)
            if not data:
                self.selector.unregister(key.fd)
                if key.fd == self.process.stdout.fileno():
                    alive = False
        return alive

    def over(self):
        """Has the process ended?

        Not by Popen's wait() or poll(): a signal handler that raises while they take their
        lock leaves it taken, and the next of them waits for ever.
        """
        if self.process.returncode is None:
            try:
                pid, status = os.waitpid(self.process.pid, os.WNOHANG)
                if pid:
                    self.process.returncode = os.waitstatus_to_exitcode(status)
            except ChildProcessError:       # interrupted before its status was kept
                self.process.returncode = -signal.SIGKILL
        return self.process.returncode is not None

    def kill(self):
        for number, wait in ((signal.SIGTERM, TERM_WAIT), (signal.SIGKILL, float("inf"))):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass
            end = time.monotonic() + wait
            while not self.over() and time.monotonic() < end:
                time.sleep(LOOK_AGAIN)
            if self.over():
                break

    def run(self):
        self.spawn()
        while self.pump(0.2) and not self.over():
            if time.monotonic() < self.deadline:
                continue
            if self.events and time.monotonic() >= self.start + self.args.limit:
                self.waiting_for = f"the end within --timeout {self.args.limit:g}"
            self.ended = self.waiting_for
            break
        self.kill()
        while self.pump(0):         # what is still in the pipes
            if not self.selector.get_map():
                break
            if not self.selector.select(0):
                break
        for fd, lines, handler in self.tails:
            with open(fd, "rb", closefd=False) as rest:
                for line in lines.feed(rest.read()):
                    handler(line)

    def save(self):
        for file in self.files.values():
            file.close()
        record = {
            "command": self.args.command,
            "events": self.events,
            "ktap_lines": self.ktap_lines,
            "waited_for": self.ended,
            "status": self.process.returncode,
            "seconds": self.elapsed(),
        }
        path = os.path.join(self.args.dir, "guest.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(record, out, indent=1)


def parse():
    parser = argparse.ArgumentParser(description="run one guest")
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", action="append", required=True)
    parser.add_argument("--boot-limit", type=float, required=True)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def main():
    def stop(number, _frame):
        # Once: another one would end what takes the guest down.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    guest = Guest(parse())
    try:
        guest.run()
        guest.save()
    finally:
        if guest.process:
            guest.kill()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"watch.py: {error}")
