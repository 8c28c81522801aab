"""Runs that are said to run, and whose process is gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.jobs import store as jobs_store
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.server.processes import process_alive
from mlws import jobdir

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.kit.paths import Folders

ADVICE = "A server that opens the folder settles it within seconds: start JupyterLab, or run `mlws run list`."
PATIENCE_S = 20.0
"""A running server settles what died; only what stays as it is is told."""
EVERY_S = 1.0


class Ghost(NamedTuple):
    """A run that runs no more."""

    run_id: str
    words: str


def find(database: Database, folders: Folders, *, patient: bool) -> list[Ghost]:
    """Those that there are; `patient` gives a server that runs the time to settle them."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = database.read_sync(lambda session: _dead(session, folders))
        if not found or not patient or time.monotonic() > deadline:
            return found
        time.sleep(EVERY_S)


def number_running(session: Session) -> int:
    """How many runs were followed by a process or a job."""
    return len(runs.interactive_running(session)) + len(jobs_store.live(session))


def _dead(session: Session, folders: Folders) -> list[Ghost]:
    found = []
    for run_id, process in runs.interactive_running(session):
        if not process_alive(process):
            words = f"Run {run_id} is Running, but the process {process.pid} that logged to it is gone."
            found.append(Ghost(run_id, words))
    for row in jobs_store.live(session):
        # What an adapter of another package started may leave other records.
        if row.target == "local" and runs.ref_by_id(session, row.run_id).status is RunStatus.RUNNING:
            folder = str(folders.job(row.run_id, row.attempt))
            if not jobdir.is_alive(folder) and jobdir.read_exit(folder) is None:
                found.append(
                    Ghost(row.run_id, f"Job {row.run_id} is Running, but no process of it lives, and none told its end.")
                )
    return found
