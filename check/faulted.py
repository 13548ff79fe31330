# SPDX-License-Identifier: GPL-2.0
"""Run a test program under a deliberate fault (FUSE_TEST_FAULT, see README.md)."""

import os
import pathlib
import signal
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 300     # seconds for one program under one fault


def output_of(program, fault, filesystems):
    """What build/PROGRAM prints, until its time is up.

    Under the fault "guardian" only the program's own end tidies up: whoever
    interrupts the caller waits for that. A second time it is not put off.
    """
    env = dict(os.environ, FUSE_TEST_FAULT=fault, FUSE_TEST_FS=filesystems,
               FUSE_STRESS_KILLS="4")
    for name in ("FUSE_STRICT", "FUSE_TEST_CASE"):
        env.pop(name, None)
    interrupted = []

    def put_off(number, _frame):
        if interrupted:
            raise SystemExit(128 + number)
        interrupted.append(number)

    before = {number: signal.signal(number, put_off) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        output = subprocess.run(["build/" + program], env=env, cwd=TOP, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=LIMIT, start_new_session=True, check=False).stdout
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or b""
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupted:
        raise SystemExit(128 + interrupted[0])
    return output.decode(errors="replace")
