"""The end of a job: its files are stored, then its outcome is written, both in one transaction. Doing it again changes nothing."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.jobs import attempts, data, ingest, remote, service, store, usage
from jupyter_mlws.domain.jobs.environments import note_capture
from jupyter_mlws.domain.jobs.errors import JobGone, NotNow
from jupyter_mlws.domain.jobs.folder import CAPTURED, Outcome, began_at, files_below, folder_of, outcome_of, progress_of
from jupyter_mlws.domain.jobs.schemas import CommandSpec
from jupyter_mlws.domain.jobs.secret_values import masker_of
from jupyter_mlws.domain.jobs.snapshots import is_text, readable
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactClash, StorageFailed, StorageFull
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import MlwsError
from mlws import jobdir, spool

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.schemas import Spec
    from jupyter_mlws.domain.jobs.tables import JobRow

log = logging.getLogger(__name__)

ACTOR = "mlws"
NEW_FILES_LIMIT = 1000
LEFT_LIMIT = 200
COARSE_MS = 50
"""The times of files are those of a coarser clock, which is behind by up to a tick: what is made at once may seem older than the job."""
NAMED_AT_ONCE = 200
QUICK_BYTES = 1 << 20
"""So much is stored quickly."""


class Captured(NamedTuple):
    """A file that was stored."""

    path: str
    sha256: str
    size: int
    modified_at: int


class Known(NamedTuple):
    """What settling needs to know."""

    row: JobRow
    ref: runs.RunRef
    snapshot: dict[str, str | None]
    noted: int
    """The number of the last note of what it uses that was taken in."""
    has_secrets: bool
    is_captured: bool
    """What it ran in is known."""


def settle(engine: JobEngine, run_id: str, folder: Path) -> None:
    """Store what the job made, and end it; or, where another attempt follows, what this one made, and queue the job again.

    Where that takes its time the run is Finalizing meanwhile; where there is next to nothing to store all of it is one transaction.
    """
    known = engine.db.read_sync(lambda s: _known(s, run_id))
    row, ref, since = known.row, known.ref, now_ms()
    if ref.status in TERMINAL:
        return
    engine.check_current(row, folder)
    spec = service.spec_of(row)
    noted = _take_in(engine, known, spec, folder, since)
    remote.note_end(engine.target(row.target), folder)
    outcome = outcome_of(folder, canceled=row.cancel_requested_at is not None)
    again = attempts.comes_again(row, outcome)
    captured = Capture(engine, attempts.prefix_of(row.attempt) if again else "")
    captured.leavings(row, folder, known.snapshot)
    notebook = captured.notebook(row, folder)
    unnamed = name_files(engine, run_id, captured)
    new_files = [] if row.in_place else new_files_of(folder / "work", row, known.snapshot)
    if isinstance(spec, CommandSpec) and outcome.status is RunStatus.COMPLETED:
        data.deliver(spec, folder_of(row, folder), engine.mirrors, captured.leave)
    progress, record = progress_of(folder), jobdir.read_exit(str(folder))

    def finish(session: Session) -> None:
        store.hold(session, run_id)
        job = store.by_id(session, run_id)
        if job is None:
            return
        engine.check_current(job, folder)
        for one in noted:
            ingest.put(session, ingest.job_actor(ref, job.submitted_by), one)
        _name(session, run_id, unnamed, captured)
        if not attempts.comes_again(job, outcome):  # it may have been canceled since `again` was told
            job.notebook_artifact = notebook
            job.new_files = new_files
            job.captured = True
        job.not_captured = list(dict.fromkeys([*job.not_captured, *captured.left[:LEFT_LIMIT]]))
        session.flush()
        if progress is not None:
            runs.set_progress(session, run_id, progress)
        through = _meanwhile(runs.ref_by_id(session, run_id).status, folder, since)
        attempts.end_attempt(session, job, outcome, engine.retry_backoff_s, record=record, through=through)
        runs.note_artifacts(session, ref)
        record_change(session, ref.workspace, "compute", job.target)

    engine.db.write_sync(finish)
    engine.kept.add(run_id)
    if not again:
        _tidy(folder, captured, new_files)
        if not known.is_captured:
            note_capture(engine, row)


def _take_in(engine: JobEngine, known: Known, spec: Spec, folder: Path, since: int) -> list[dict[str, Any]]:
    """Take in what the job logged and used; the run is Finalizing from now on. Where that is quick all of it is left to the transaction
    that ends the job: what it used is answered."""
    row, ref, run_id = known.row, known.ref, known.row.run_id
    if _is_quick(known, spec, folder) and len(found := usage.rest(folder, run_id, known.noted)) <= 1:
        return found
    begin(engine, run_id, folder, since)
    masker = masker_of(engine.db, engine.secrets, run_id) if known.has_secrets else None
    taker = ingest.Ingest(engine.db, engine.blobs, ingest.job_actor(ref, row.submitted_by), engine.stopping, masker)
    if spool.replay(str(folder / "spool"), taker).left:
        raise NotNow(f"What job {run_id} logged could not be stored now.")
    usage.take_rest(folder, run_id, taker, known.noted)
    return []


def _is_quick(known: Known, spec: Spec, folder: Path) -> bool:
    """Whether a job that has ended left next to nothing to store."""
    work, logs = folder_of(known.row, folder), [folder / name for name in (jobdir.USER_LOG, jobdir.SYSTEM_LOG)]
    return (
        isinstance(spec, CommandSpec)
        and not spec.outputs
        and not known.has_secrets
        and jobdir.read_exit(str(folder)) is not None
        and not spool.waiting(str(folder / "spool"))
        and not any((work / name).is_symlink() or next(files_below(work / name), None) for name in CAPTURED)
        and sum(path.stat().st_size for path in logs if path.is_file()) < QUICK_BYTES
    )


def begin(engine: JobEngine, run_id: str, folder: Path, since: int) -> None:
    """The run is Finalizing from now on: what is left to do takes its time. Again is harmless."""

    def change(session: Session) -> None:
        store.hold(session, run_id)
        job = store.current_attempt(session, run_id)
        if job is not None:
            engine.check_current(job, folder)
            _begin(session, run_id, folder, since)

    engine.db.write_sync(change)


def _begin(session: Session, run_id: str, folder: Path, since: int) -> None:
    """It is held, and this is its current attempt."""
    steps = _meanwhile(runs.ref_by_id(session, run_id).status, folder, since)
    if steps:
        runs.change_status(session, run_id, steps[-1][0], actor=ACTOR, at=steps[-1][1], through=steps[:-1])
    for _, at in steps[:-1]:
        attempts.note_running(session, run_id, at)


def _meanwhile(status: RunStatus, folder: Path, since: int) -> list[tuple[RunStatus, int]]:
    """What a run in this status went through, up to Finalizing, that nobody was told of."""
    found = []
    if status is RunStatus.PREPARING and jobdir.read_pid(str(folder)) is not None:
        found.append((RunStatus.RUNNING, began_at(folder) or since))
    return found if status is RunStatus.FINALIZING else [*found, (RunStatus.FINALIZING, since)]


def _tidy(folder: Path, captured: Capture, new_files: list[str]) -> None:
    """Where all that the job made is stored its working folder goes; logs and the rest of its folder stay for a while (`tasks`)."""
    if not captured.left and not new_files and jobdir.read_kernel(str(folder)) is None:  # a kernel that is kept works there
        shutil.rmtree(folder / "work", ignore_errors=True)


def _known(session: Session, run_id: str) -> Known:
    row = store.by_id(session, run_id)
    if row is None:
        raise JobGone(f"There is no job {run_id}.")
    ref = runs.ref_by_id(session, run_id)
    files = [] if ref.snapshot_id is None else storage.snapshot_files(session, ref.snapshot_id)
    return Known(
        row,
        ref,
        {file.path: file.sha256 for file in files},
        usage.last_step(session, run_id),
        bool(secrets.names_of_run(session, run_id)),
        environments.is_known(session, run_id),
    )


def give_up(engine: JobEngine, run_id: str, folder: Path, why: str) -> None:
    """End an attempt whose leavings cannot be stored, however often one tries: it is lost, and another follows while retries are left."""
    place = folder.relative_to(engine.folders.root)
    error = RunError(message=f"What the job left behind could not be stored ({why[:2000]}). Its folder is kept: {place}.")
    record = jobdir.read_exit(str(folder))

    def end(session: Session) -> None:
        store.hold(session, run_id)
        job = store.by_id(session, run_id)
        if job is None:
            return
        engine.check_current(job, folder)
        _begin(session, run_id, folder, now_ms())
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
