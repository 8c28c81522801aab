"""The signals that ask a supervisor to end."""

from __future__ import annotations

import signal

BLOCKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def block() -> None:
    """From here on they wait until somebody can record what they did: the first thing that a process does which is to run a job.

    It is inherited, so nothing calls it on import.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)


def unblock() -> None:
    """Hear them again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
