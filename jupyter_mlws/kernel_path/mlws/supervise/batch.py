"""Entry point for a batch system, on the node that it chose: `python -S -m mlws.supervise.batch <job dir> <ticket>`.

A server that was killed while it submitted may have submitted twice. Each submission has a ticket; the job runs for the one whose ticket
stands in the folder, once, and a batch system that begins a job anew after the loss of a node finds that it has begun.
"""

from __future__ import annotations

from mlws.supervise import signals

if __name__ == "__main__":
    signals.block()

import contextlib
import os
import sys
from typing import Dict

from mlws import jobdir
from mlws.supervise.entry import ALREADY, NOT_BEGUN, main


def begin(job_dir: str, ticket: str) -> int:
    """Run the job in `job_dir`, if this is to be; 0 once its exit record is there."""
    sent = jobdir.read_json(os.path.join(job_dir, jobdir.SENT)) or {}
    if sent.get("ticket") != ticket:
        return _say("Another submission of this job counts.", ALREADY)
    if jobdir.read_pid(job_dir) is not None or jobdir.read_exit(job_dir) is not None:
        return _say("This job has begun before; it is not run twice.", ALREADY)
    secrets = _secrets(job_dir)
    if bool(sent.get("secrets")) != bool(secrets):
        return _say("The secrets of this job are not there; it was not begun.", NOT_BEGUN)
    return main(job_dir, secrets)


def _secrets(job_dir: str) -> Dict[str, str]:
    """The job's secrets, whose file goes at once."""
    path = os.path.join(job_dir, jobdir.SECRETS)
    found = jobdir.read_json(path) or {}
    with contextlib.suppress(OSError):
        os.unlink(path)
    return found


def _say(words: str, code: int) -> int:
    sys.stderr.write(f"{words}\n")
    return code


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.stderr.write("usage: python -m mlws.supervise.batch <job dir> <ticket>\n")
        sys.exit(2)
    sys.exit(begin(sys.argv[1], sys.argv[2]))
