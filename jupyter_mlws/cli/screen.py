"""Following a job on a terminal: log lines, and below them one line that tells how far it is."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import colored
from jupyter_mlws.cli.failures import INTERRUPTED, leave, tell
from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.forms import SHORT

if TYPE_CHECKING:
    from jupyter_mlws.sdk import Workspace
    from jupyter_mlws.sdk.jobs import JobUpdate
    from jupyter_mlws.sdk.results import Run

CLEAR = "\r\033[K"
COLOR = re.compile(r"\033\[[0-9;]*m")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[0-9;]*m)")
SHOWN_METRICS = 6


class Screen:
    """Standard output for the log, standard error for the rest; the progress line only where that is a terminal.

    beside: standard output is for a program, and all of this goes to standard error.
    """

    def __init__(self, *, beside: bool = False) -> None:
        self.out = sys.stderr if beside else sys.stdout
        self.live = self.out.isatty() and sys.stderr.isatty()
        self.color = colored(self.out)
        self._drawn = ""
        self._told = ""

    def log(self, lines: str) -> None:
        """Print log lines: colours pass (on a terminal that has them), nothing else that moves the cursor does."""
        if not lines:
            return
        self._wipe()
        safe = CONTROL.sub("", lines) if self.live else lines
        self.out.write(safe if self.color else COLOR.sub("", safe))
        self.out.flush()

    def progress(self, where: str, partial: str) -> None:
        """Draw the progress line; where there is no terminal, tell each new status once."""
        if not self.live:
            word = where.partition("  ")[0]
            if word != self._told:
                tell(word)
            self._told = word
            return
        last = COLOR.sub("", CONTROL.sub("", partial.replace("\n", " "))).strip()
        line = text.cut(text.printable(f"{where}  {last}".rstrip()), shutil.get_terminal_size().columns - 1)
        if line != self._drawn:
            sys.stderr.write(f"{CLEAR}{line}")
            sys.stderr.flush()
            self._drawn = line

    def _wipe(self) -> None:
        if self._drawn:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
            self._drawn = ""

    def close(self) -> None:
        """Take the progress line away."""
        self._wipe()


def progress_text(run: Run) -> str:
    """Where a run is: its status, and the cell it is at."""
    status = text.status(run.status.value)
    if run.waiting is not None:
        return f"{status}: {run.waiting.reason}"
    if run.progress is None or run.status.value != "Running":
        return status
    done, total = run.progress.done, run.progress.total
    at = min(done + 1, total)
    return f"{status}  cell {at} of {total}  {run.progress.label}".rstrip()


def stream(workspace: Workspace, run_id: str, *, beside: bool = False) -> Run:
    """Follow a job to its end, and say how it ended. Ctrl-C ends the following alone. beside: as for `Screen`."""
    screen = Screen(beside=beside)
    update: JobUpdate | None = None
    try:
        for update in workspace.jobs.follow(run_id):
            screen.log(update.text)
            if not update.run.ended:
                screen.progress(progress_text(update.run), update.partial)
    except KeyboardInterrupt:
        screen.close()
        tell(
            f"\nNot followed any more; the job goes on. `mlws job stream {run_id[:SHORT]}` follows it again, "
            f"`mlws job cancel {run_id[:SHORT]}` cancels it."
        )
        leave(INTERRUPTED)
    finally:
        screen.close()
    assert update is not None  # noqa: S101 - following gives at least one update
    run = workspace.runs.show(run_id)
    tell(summary(run))
    return run


def summary(run: Run) -> str:
    """The last line: how it ended."""
    parts = [f"{text.status(run.status.value)} in {text.duration(run.duration_ms) or '0 s'}"]
    parts += [f"{key} {text.number(m.last)}" for key, m in list(run.metrics.items())[:SHOWN_METRICS]]
    line = text.printable("  ".join([parts[0], ", ".join(parts[1:])]).rstrip())
    why = show.error_text(run) or (run.reason or "")
    return f"{line}\n{text.printable(why)}" if why else line
