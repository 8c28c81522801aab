"""The end of a job: its files are stored, then its outcome is written, both in one transaction. Doing it again changes nothing."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.jobs import attempts, data, ingest, remote, service, store, usage
from jupyter_mlws.domain.jobs.environments import note_capture
from jupyter_mlws.domain.jobs.errors import JobGone, NotNow
from jupyter_mlws.domain.jobs.folder import CAPTURED, Outcome, files_below, folder_of, outcome_of, progress_of
from jupyter_mlws.domain.jobs.schemas import CommandSpec
from jupyter_mlws.domain.jobs.secret_values import masker_of
from jupyter_mlws.domain.jobs.snapshots import is_text, readable
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactClash, StorageFailed, StorageFull
from jupyter_mlws.kit.errors import MlwsError
from mlws import jobdir, spool

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.tables import JobRow

log = logging.getLogger(__name__)

ACTOR = "mlws"
NEW_FILES_LIMIT = 1000
LEFT_LIMIT = 200
COARSE_MS = 50
"""The times of files are those of a coarser clock, which is behind by up to a tick: what is made at once may seem older than the job."""
NAMED_AT_ONCE = 200


class Captured(NamedTuple):
    """A file that was stored."""

    path: str
    sha256: str
    size: int
    modified_at: int


def settle(engine: JobEngine, run_id: str, folder: Path) -> None:
    """Store what the job made, and end it; or, where another attempt follows, what this one made, and queue the job again."""
    row, ref, snapshot = engine.db.read_sync(lambda s: _known(s, run_id))
    if ref.status in TERMINAL:
        return
    engine.check_current(row, folder)
    if ref.status is not RunStatus.FINALIZING:
        engine.db.write_sync(lambda s: runs.change_status(s, run_id, RunStatus.FINALIZING, actor=ACTOR))
    masker = masker_of(engine.db, engine.secrets, run_id)
    taker = ingest.Ingest(engine.db, engine.blobs, ingest.job_actor(ref, row.submitted_by), engine.stopping, masker)
    if spool.replay(str(folder / "spool"), taker).left:
        raise NotNow(f"What job {run_id} logged could not be stored now.")
    usage.take_rest(engine, run_id, folder, taker)
    remote.note_end(engine.target(row.target), folder)
    outcome = outcome_of(folder, canceled=row.cancel_requested_at is not None)
    again = attempts.comes_again(row, outcome)
    captured = Capture(engine, attempts.prefix_of(row.attempt) if again else "")
    captured.leavings(row, folder, snapshot)
    notebook = captured.notebook(row, folder)
    rest = name_files(engine, run_id, captured)
    new_files = [] if row.in_place else new_files_of(folder / "work", row, snapshot)
    spec = service.spec_of(row)
    if isinstance(spec, CommandSpec) and outcome.status is RunStatus.COMPLETED:
        data.deliver(spec, folder_of(row, folder), engine.mirrors, captured.leave)
    progress, record = progress_of(folder), jobdir.read_exit(str(folder))

    def finish(session: Session) -> None:
        job = store.by_id(session, run_id)
        if job is None:
            return
        engine.check_current(job, folder)
        _name(session, run_id, rest, captured)
        if not attempts.comes_again(job, outcome):  # it may have been canceled since `again` was told
            job.notebook_artifact = notebook
            job.new_files = new_files
            job.captured = True
        job.not_captured = list(dict.fromkeys([*job.not_captured, *captured.left[:LEFT_LIMIT]]))
        session.flush()
        if progress is not None:
            runs.set_progress(session, run_id, progress)
        attempts.end_attempt(session, job, outcome, engine.retry_backoff_s, record=record)
        runs.note_artifacts(session, ref)
        record_change(session, ref.workspace, "compute", job.target)

    engine.db.write_sync(finish)
    engine.kept.add(run_id)
    if not again:
        _tidy(folder, captured, new_files)
        note_capture(engine, row)


def _tidy(folder: Path, captured: Capture, new_files: list[str]) -> None:
    """Where all that the job made is stored its working folder goes; logs and the rest of its folder stay for a while (`tasks`)."""
    if not captured.left and not new_files and jobdir.read_kernel(str(folder)) is None:  # a kernel that is kept works there
        shutil.rmtree(folder / "work", ignore_errors=True)


def _known(session: Session, run_id: str) -> tuple[JobRow, runs.RunRef, dict[str, str | None]]:
    row = store.by_id(session, run_id)
    if row is None:
        raise JobGone(f"There is no job {run_id}.")
    ref = runs.ref_by_id(session, run_id)
    files = [] if ref.snapshot_id is None else storage.snapshot_files(session, ref.snapshot_id)
    return row, ref, {file.path: file.sha256 for file in files}


def give_up(engine: JobEngine, run_id: str, folder: Path, why: str) -> None:
    """End an attempt whose leavings cannot be stored, however often one tries: it is lost, and another follows while retries are left."""
    place = folder.relative_to(engine.folders.root)
    error = RunError(message=f"What the job left behind could not be stored ({why[:2000]}). Its folder is kept: {place}.")
    record = jobdir.read_exit(str(folder))

    def end(session: Session) -> None:
        job = store.by_id(session, run_id)
        if job is None:
            return
        engine.check_current(job, folder)
        if runs.ref_by_id(session, run_id).status is not RunStatus.FINALIZING:
            runs.change_status(session, run_id, RunStatus.FINALIZING, actor=ACTOR)
        lost = Outcome(RunStatus.FAILED, "lost", error, None, None)
        attempts.end_attempt(session, job, lost, engine.retry_backoff_s, record=record)
        record_change(session, runs.ref_by_id(session, run_id).workspace, "compute", job.target)

    engine.db.write_sync(end)


def _since(row: JobRow, folder: Path) -> int:
    """From when on (ms) files in the notebook's own folder are this attempt's."""
    started = (jobdir.read_exit(str(folder)) or {}).get("started_at") if row.attempt > 1 else None
    return (started if isinstance(started, int) else row.submitted_at) - COARSE_MS


class Capture:
    """Stores the files that a job left, and remembers those that cannot be kept, with the reason."""

    def __init__(self, engine: JobEngine, prefix: str = "") -> None:
        self.files: list[Captured] = []
        self._prefix = prefix
        self.left: list[str] = []
        self._engine = engine

    def leavings(self, row: JobRow, folder: Path, snapshot: dict[str, str | None]) -> None:
        """What the job made in `outputs/` and `logs/` of its folder, and its two logs.

        What lay there before is not its own: in the notebook's own folder files older than the job, else those as they are in the
        snapshot.
        """
        work, since = folder_of(row, folder), _since(row, folder)
        for name in CAPTURED:
            if not (work / name).is_dir() or (work / name).is_symlink():
                continue
            for relative, path, stat in files_below(work / name):
                if row.in_place and stat.st_mtime_ns // 1_000_000 < since:
                    continue
                stored = self._store(f"{name}/{relative}", path, stat.st_mtime_ns)
                if stored is not None and (row.in_place or snapshot.get(stored.path) != stored.sha256):
                    self._add(stored)
        for name in (jobdir.USER_LOG, jobdir.SYSTEM_LOG):
            path = folder / name
            if path.is_file() and (stored := self._store(name, path, path.stat().st_mtime_ns)) is not None:
                self._add(stored)

    def notebook(self, row: JobRow, folder: Path) -> str | None:
        """Store the output notebook under the name of its original; its artifact path."""
        path = folder / jobdir.OUTPUT_NOTEBOOK
        if row.kind != "notebook" or not path.is_file():
            return None
        name = str(row.spec["notebook"]).replace("\\", "/").rsplit("/", 1)[-1]
        stored = self._store(f"notebook/{name}", path, path.stat().st_mtime_ns)
        if stored is None:
            return None
        self._add(stored)
        return self._prefix + stored.path

    def _add(self, stored: Captured) -> None:
        self.files.append(stored._replace(path=self._prefix + stored.path))

    def leave(self, path: str, why: str) -> None:
        """A file that cannot be kept."""
        log.warning("The file %r of a job was not stored: %s", path, why)
        self.left.append(f"{readable(path)} ({why})")

    def _store(self, path: str, source: Path, mtime_ns: int) -> Captured | None:
        if self._engine.stopping.is_set():
            raise NotNow("The server stops.")
        try:
            storage.check_path(path)
            stored = self._engine.blobs.put_file(source)
        except (StorageFull, StorageFailed):
            raise  # better late than without its files
        except MlwsError as error:
            self.leave(path, error.message)
            return None
        except OSError as error:
            self.leave(path, f"cannot be read: {error.strerror}")
            return None
        return Captured(path, stored.sha256, stored.size, mtime_ns // 1_000_000)


def name_files(engine: JobEngine, run_id: str, captured: Capture) -> list[Captured]:
    """Give the run its files, some hundred at a time, so that nobody else waits long. Doing it again changes nothing.

    The last of them are answered: they get their names in the transaction that ends the job.
    """
    files = captured.files
    while len(files) > NAMED_AT_ONCE:
        part, files = files[:NAMED_AT_ONCE], files[NAMED_AT_ONCE:]
        engine.db.write_sync(partial(_name, run_id=run_id, files=part, captured=captured))
    return files


def _name(session: Session, run_id: str, files: list[Captured], captured: Capture) -> None:
    if store.by_id(session, run_id) is None:
        return
    for file in files:
        try:
            storage.add_artifact(session, run_id, file.path, file.sha256, file.size, file.modified_at)
        except ArtifactClash as error:
            captured.leave(file.path, error.message)


def new_files_of(work: Path, row: JobRow, snapshot: dict[str, str | None]) -> list[str]:
    """Files below the working folder that were not there at the start, and are not captured. Paths are relative to `work`."""
    base = f"{row.work_subdir}/" if row.work_subdir else ""
    captured = tuple(f"{base}{name}/" for name in CAPTURED)
    found = []
    for relative, _, _ in files_below(work):
        if not is_text(relative):
            continue  # it could be neither named nor kept
        captured_before = relative.startswith(base) and relative[len(base) :] in snapshot
        if captured_before or relative.startswith(captured) or "__pycache__/" in relative:
            continue
        found.append(relative)
        if len(found) >= NEW_FILES_LIMIT:
            break
    return sorted(found)
