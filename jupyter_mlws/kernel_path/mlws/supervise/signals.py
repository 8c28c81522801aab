"""The signals that ask a supervisor to end."""

from __future__ import annotations

import signal

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGXCPU)
"""With the last two batch systems begin to end a job whose time is over, as LSF does."""
BLOCKED = (*ENDING, signal.SIGHUP)


def block() -> None:
    """From here on they wait until somebody can record what they did: the first thing that a process does which is to run a job.

    It is inherited, so nothing calls it on import.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)


def unblock() -> None:
    """Hear them again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
