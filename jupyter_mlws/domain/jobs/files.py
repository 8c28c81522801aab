"""Files in the folder of a job: where its logs lie, and what of its working folder is kept."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.jobs import service
from jupyter_mlws.domain.jobs.attempts import prefix_of
from jupyter_mlws.domain.jobs.errors import FileNotThere
from jupyter_mlws.domain.jobs.folder import folder_of
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactNotFound
from jupyter_mlws.domain.storage.schemas import StoredFile
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.paths import clean_relative, inside
from mlws import jobdir

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.tables import JobRow
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions


def log_path(session: Session, services: Any, run_id: str, stream: str, attempt: int | None = None) -> tuple[Path, bool]:
    """Where a log lies: in the folder of the attempt (the current one, if none is given), or in the store once that is gone.

    The flag: that attempt is over, whatever the job does.
    """
    row = service.job_row(session, run_id)
    number = attempt or row.attempt
    name = jobdir.USER_LOG if stream == "user" else jobdir.SYSTEM_LOG
    path: Path = services.folders.job(run_id, number) / name
    if not path.exists():
        for kept in (f"{prefix_of(number)}{name}", *([name] if number == row.attempt else [])):
            with contextlib.suppress(ArtifactNotFound):
                path = services.blobs.path(storage.find_artifact(session, run_id, kept).sha256)
    return path, number < row.attempt


async def keep(services: Any, db: Transactions, actor: Actor, run_id: str, path: str) -> StoredFile:
    """Store a file of the working folder as an artifact."""
    cleaned = clean_relative(path)

    def look(session: Session) -> JobRow:
        runs.open_run(session, actor, Action.SUBMIT, run_id)
        return service.job_row(session, run_id)

    row = await db.read(look)
    folder = services.folders.job(run_id, row.attempt)
    base = folder_of(row, folder) if row.in_place else folder / "work"
    source = inside(base, cleaned) if base.is_dir() else None
    if source is None or not source.is_file():
        raise FileNotThere(f"The job's working folder has no file {cleaned!r} any more.", field="path")
    stored = await asyncio.to_thread(services.blobs.put_file, source)

    def note(session: Session) -> None:
        ref = runs.open_to_log(session, actor, run_id)
        storage.add_artifact(session, run_id, f"kept/{cleaned}", stored.sha256, stored.size, now_ms())
        job = service.job_row(session, run_id)
        job.new_files = [name for name in job.new_files if name != cleaned]
        runs.note_artifacts(session, ref)

    await db.write(note)
    return StoredFile(path=f"kept/{cleaned}", size=stored.size, sha256=stored.sha256)
