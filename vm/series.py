#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turn a patch file or a mailbox into plain patches, in the order of the series.

usage: series.py OUTPUT_DIR FILE|-

Writes OUTPUT_DIR/NNNN.patch, first line "# SUBJECT", and prints their paths.
Cover letters and replies have no diff and are left out. Mails of a series are
sorted by the number in their subject ([PATCH v2 3/7]).
"""

import email
import email.policy
import os
import re
import sys

MAIL_START = re.compile(rb"^From \S+ .*\d{4}\s*$", re.M)
NUMBER = re.compile(r"\[[^\]]*\b(\d+)/\d+\]")
DIFF = re.compile(r"^(diff --git |--- (a/|/dev/null|\S+\s))", re.M)


def mails(data):
    starts = [m.start() for m in MAIL_START.finditer(data)
              if m.start() == 0 or data[m.start() - 1:m.start()] == b"\n"]
    if not starts or data[:starts[0]].strip():
        return None
    return [data[a:b] for a, b in zip(starts, starts[1:] + [len(data)])]


def decode(raw):
    """(subject, text) of one mail, whatever its encoding."""
    message = email.message_from_bytes(raw.split(b"\n", 1)[1], policy=email.policy.default)
    subject = " ".join(str(message["subject"] or "no subject").split())
    texts = [part.get_content() for part in message.walk()
             if part.get_content_type() in ("text/plain", "text/x-patch", "text/x-diff")]
    return subject, "\n".join(texts).replace("\r\n", "\n")


def number_of(subject):
    found = NUMBER.search(subject)
    return int(found[1]) if found else 0


def patches(path, data):
    raw = mails(data)
    if raw is None:
        return [(os.path.basename(path), data.decode(errors="surrogateescape"))]
    found = [decode(mail) for mail in raw]
    found = [(subject, text) for subject, text in found
             if DIFF.search(text) and not subject.lower().startswith("re:")]
    return sorted(found, key=lambda item: number_of(item[0]))


def main():
    directory, path = sys.argv[1:]
    if path == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(path, "rb") as source:
            data = source.read()
    found = [(s, t) for s, t in patches(path, data) if DIFF.search(t)]
    if not found:
        raise ValueError("holds no patch")
    for index, (subject, text) in enumerate(found, 1):
        target = os.path.join(directory, f"{index:04}.patch")
        with open(target, "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write(f"# {subject}\n{text}")
        print(target)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        sys.exit(f"{sys.argv[-1]}: {reason}")
