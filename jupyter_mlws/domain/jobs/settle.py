"""The end of a job: its files are stored, then its outcome is written, both in one transaction. Doing it again changes nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.jobs import ingest, store
from jupyter_mlws.domain.jobs.errors import JobGone, NotNow
from jupyter_mlws.domain.jobs.folder import CAPTURED, files_below, folder_of, outcome_of, progress_of
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import StorageFull
from jupyter_mlws.kit.errors import MlwsError
from mlws import jobdir, spool

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.folder import Outcome
    from jupyter_mlws.domain.jobs.tables import JobRow

log = logging.getLogger(__name__)

ACTOR = "mlws"
NEW_FILES_LIMIT = 1000


class Captured(NamedTuple):
    """A file that was stored."""

    path: str
    sha256: str
    size: int
    modified_at: int


def settle(engine: JobEngine, run_id: str, folder: Path) -> None:
    """Store what the job made, and end it."""
    row, ref, snapshot = engine.db.read_sync(lambda s: _known(s, run_id))
    if ref.status in TERMINAL:
        return
    if ref.status is not RunStatus.FINALIZING:
        engine.db.write_sync(lambda s: runs.change_status(s, run_id, RunStatus.FINALIZING, actor=ACTOR))
    taker = ingest.of_job(engine.db, engine.blobs, ref.workspace, run_id, engine.stopping)
    if spool.replay(str(folder / "spool"), taker).left:
        raise NotNow(f"What job {run_id} logged could not be stored now.")
    captured = capture(engine, row, folder, snapshot)
    notebook = capture_notebook(engine, row, folder)
    new_files = [] if row.in_place else new_files_of(folder / "work", row, snapshot)
    outcome = outcome_of(folder, canceled=row.cancel_requested_at is not None)
    progress = progress_of(folder)

    def finish(session: Session) -> None:
        job = store.by_id(session, run_id)
        if job is None:
            return
        for file in [*captured, *([notebook] if notebook is not None else [])]:
            storage.add_artifact(session, run_id, file.path, file.sha256, file.size, file.modified_at)
        job.notebook_artifact = notebook.path if notebook is not None else None
        job.new_files = new_files
        job.captured = True
        session.flush()
        if progress is not None:
            runs.set_progress(session, run_id, progress)
        _end(session, run_id, outcome)
        access.revoke_tokens_of_run(session, run_id)
        runs.note_artifacts(session, ref)
        record_change(session, ref.workspace, "compute", job.target)

    engine.db.write_sync(finish)


def _known(session: Session, run_id: str) -> tuple[JobRow, runs.RunRef, dict[str, str | None]]:
    row = store.by_id(session, run_id)
    if row is None:
        raise JobGone(f"There is no job {run_id}.")
    ref = runs.ref_by_id(session, run_id)
    files = [] if ref.snapshot_id is None else storage.snapshot_files(session, ref.snapshot_id)
    return row, ref, {file.path: file.sha256 for file in files}


def give_up(engine: JobEngine, run_id: str, why: str) -> None:
    """End a job whose leavings cannot be stored, however often one tries."""
    error = RunError(message=f"What the job left behind could not be stored ({why[:2000]}). Its folder is kept: jobs/{run_id}.")

    def end(session: Session) -> None:
        runs.change_status(session, run_id, RunStatus.FAILED, actor=ACTOR, reason="lost", error=error)
        access.revoke_tokens_of_run(session, run_id)

    engine.db.write_sync(end)


def _end(session: Session, run_id: str, outcome: Outcome) -> None:
    values = {} if outcome.started_at is None else {"started_at": outcome.started_at}
    runs.change_status(
        session,
        run_id,
        outcome.status,
        actor=ACTOR,
        reason=outcome.reason,
        at=outcome.ended_at,
        error=outcome.error,
        values=values,
    )


def capture(engine: JobEngine, row: JobRow, folder: Path, snapshot: dict[str, str | None]) -> list[Captured]:
    """Store what the job made in `outputs/` and `logs/` of its folder, and its two logs.

    What lay there before is not its own: in the notebook's own folder files older than the job, else those as they are in the snapshot.
    """
    found: list[Captured | None] = []
    work = folder_of(row, folder)
    for name in CAPTURED:
        if not (work / name).is_dir() or (work / name).is_symlink():
            continue
        for relative, path, stat in files_below(work / name):
            if row.in_place and stat.st_mtime_ns // 1_000_000 < row.submitted_at:
                continue
            stored = _store(engine, f"{name}/{relative}", path, stat.st_mtime_ns)
            if row.in_place or stored is None or snapshot.get(stored.path) != stored.sha256:
                found.append(stored)
    for name in (jobdir.USER_LOG, jobdir.SYSTEM_LOG):
        path = folder / name
        if path.is_file():
            found.append(_store(engine, name, path, path.stat().st_mtime_ns))
    return [file for file in found if file is not None]


def capture_notebook(engine: JobEngine, row: JobRow, folder: Path) -> Captured | None:
    """Store the output notebook under the name of its original."""
    path = folder / jobdir.OUTPUT_NOTEBOOK
    if row.kind != "notebook" or not path.is_file():
        return None
    name = str(row.spec["notebook"]).replace("\\", "/").rsplit("/", 1)[-1]
    return _store(engine, f"notebook/{name}", path, path.stat().st_mtime_ns)


def _store(engine: JobEngine, path: str, source: Path, mtime_ns: int) -> Captured | None:
    if engine.stopping.is_set():
        raise NotNow("The server stops.")
    try:
        stored = engine.blobs.put_file(source)
    except StorageFull:
        raise  # better late than without its files
    except (OSError, MlwsError) as error:
        log.warning("The file %s of a job could not be stored: %s", source, error)
        return None
    return Captured(path, stored.sha256, stored.size, mtime_ns // 1_000_000)


def new_files_of(work: Path, row: JobRow, snapshot: dict[str, str | None]) -> list[str]:
    """Files below the working folder that were not there at the start, and are not captured. Paths are relative to `work`."""
    base = f"{row.work_subdir}/" if row.work_subdir else ""
    captured = tuple(f"{base}{name}/" for name in CAPTURED)
    found = []
    for relative, _, _ in files_below(work):
        if relative.removeprefix(base) in snapshot or relative.startswith(captured) or "__pycache__/" in relative:
            continue
        found.append(relative)
        if len(found) >= NEW_FILES_LIMIT:
            break
    return sorted(found)
