"""What a job logged while the server was away, applied from its spool. Every record may come twice and counts once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import IODeclare, LogBatch, RunCreate, RunEnd, RunUpdate
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.kit.actors import Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput, MlwsError
from jupyter_mlws.kit.paths import clean_relative
from mlws.errors import Rejected

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.storage.service import BlobStore


class Ingest:
    """Takes the records of one job's spool, with the rights of that job."""

    def __init__(self, db: Database, blobs: BlobStore, workspace: str, job_run_id: str) -> None:
        self._db = db
        self._blobs = blobs
        self._workspace = workspace
        user = db.read_sync(lambda s: runs.user_of(s, job_run_id))
        self._actor = Actor(name=user, kind=ActorKind.JOB, workspace=workspace, run_id=job_run_id)

    def __call__(self, record: dict[str, Any], blob: str | None) -> None:
        """Apply one record. Raises `Rejected` for one that will never be taken."""
        try:
            run_id = str(record["run_id"])
            if blob is not None:
                self._file(run_id, record, Path(blob))
            else:
                self._db.write_sync(lambda s: _one(s, self._actor, self._workspace, run_id, record))
        except (MlwsError, msgspec.ValidationError, KeyError, OSError) as error:
            raise Rejected(str(error)) from error

    def _file(self, run_id: str, record: dict[str, Any], source: Path) -> None:
        path = clean_relative(str(record["path"]))
        stored = self._blobs.put_file(source)
        if record["op"] == "artifact":
            self._db.write_sync(lambda s: _artifact(s, self._actor, run_id, path, stored.sha256, stored.size))
        else:
            self._db.write_sync(lambda s: runs.add_file(s, self._actor, run_id, path, stored.sha256, stored.size))


def _one(session: Session, actor: Actor, workspace: str, run_id: str, record: dict[str, Any]) -> None:
    body = record.get("body") or {}
    match record["op"]:
        case "create":
            runs.create_run(session, actor, workspace, msgspec.convert({**body, "id": run_id}, RunCreate))
        case "log":
            runs.log_batch(session, actor, run_id, msgspec.convert(body, LogBatch))
        case "environment":
            runs.note_environment(session, actor, run_id, msgspec.convert(body, EnvironmentCapture))
        case "io":
            runs.declare_io(session, actor, run_id, msgspec.convert(body, IODeclare))
        case "update":
            runs.update_run(session, actor, run_id, msgspec.convert(body, RunUpdate), None)
        case "end":
            runs.end_run(session, actor, run_id, msgspec.convert(body, RunEnd))
        case other:
            raise BadInput(f"A spool has a record of the unknown kind {other!r}.")


def _artifact(session: Session, actor: Actor, run_id: str, path: str, sha256: str, size: int) -> None:
    ref = runs.open_for_files(session, actor, run_id)
    storage.add_artifact(session, run_id, path, sha256, size, now_ms())
    runs.note_artifacts(session, ref)
