"""What jobs and notebooks logged while the server was away, applied from their spools. Every record may come twice and counts once."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.exc import OperationalError

from jupyter_mlws.domain.access.service import local_name
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import IODeclare, LogBatch, RunCreate, RunEnd, RunUpdate
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import StorageFull
from jupyter_mlws.domain.workspaces.service import DEFAULT
from jupyter_mlws.kit.actors import Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput, Busy, Conflict, MlwsError, Unavailable
from jupyter_mlws.kit.paths import clean_relative
from mlws.errors import Rejected, ServerAway

if TYPE_CHECKING:
    from threading import Event

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.storage.service import BlobStore
    from mlws.masking import Masker

PASSING = (Busy, Unavailable, StorageFull, OperationalError)


def of_job(db: Database, blobs: BlobStore, run_id: str, stopping: Event, masker: Masker | None = None) -> Ingest:
    """Takes the spool of one job, with the rights of that job, and without its secrets."""
    user, ref = db.read_sync(lambda s: (runs.user_of(s, run_id), runs.ref_by_id(s, run_id)))
    return Ingest(db, blobs, job_actor(ref, user), stopping, masker)


def job_actor(ref: runs.RunRef, user: str) -> Actor:
    """A job, with the rights that it has itself."""
    return Actor(name=user, kind=ActorKind.JOB, workspace=ref.workspace, workspace_id=ref.workspace_id, run_id=ref.id)


def of_user(db: Database, blobs: BlobStore, stopping: Event) -> Ingest:
    """Takes what dead notebooks and scripts left: only the user of this server can write into that folder."""
    return Ingest(db, blobs, Actor(name=local_name(), kind=ActorKind.LOCAL), stopping)


class Ingest:
    """Takes the records of a spool, with the rights of an actor."""

    def __init__(self, db: Database, blobs: BlobStore, actor: Actor, stopping: Event, masker: Masker | None = None) -> None:
        self._db = db
        self._blobs = blobs
        self._actor = actor
        self._stopping = stopping
        self._masker = masker

    def __call__(self, record: dict[str, Any], blob: str | None) -> None:
        """Apply one record. Raises `Rejected` for one that will never be taken, `ServerAway` for one that cannot be taken now."""
        if self._stopping.is_set():
            raise ServerAway("The server stops.")
        try:
            self._take(record if self._masker is None else self._masker.value(record), blob)
        except PASSING as error:
            raise ServerAway(str(error)) from error
        except (MlwsError, msgspec.ValidationError, KeyError, TypeError, ValueError, FileNotFoundError) as error:
            status, code = (error.status, error.code) if isinstance(error, MlwsError) else (400, "bad_input")
            raise Rejected(str(error), status, code) from error
        except OSError as error:
            raise ServerAway(str(error)) from error

    def _take(self, record: dict[str, Any], blob: str | None) -> None:
        run_id = str(record["run_id"])
        if blob is not None:
            self._file(run_id, record, Path(blob))
            return
        workspace = self._actor.workspace or str(record.get("workspace") or DEFAULT)
        refused: list[MlwsError] = []
        for part in parts(record):
            try:
                self._db.write_sync(lambda s: _one(s, self._actor, workspace, run_id, part))  # noqa: B023 - waited for
            except (BadInput, Conflict) as error:
                refused.append(error)
        if refused and not (record["op"] == "end" and isinstance(refused[0], Conflict)):  # ended before: that status stands
            raise refused[0]

    def _file(self, run_id: str, record: dict[str, Any], source: Path) -> None:
        path = clean_relative(str(record["path"]))
        stored = self._blobs.put_file(source)
        if record["op"] == "artifact":
            self._db.write_sync(lambda s: _artifact(s, self._actor, run_id, path, stored.sha256, stored.size))
        else:
            self._db.write_sync(lambda s: runs.add_file(s, self._actor, run_id, path, stored.sha256, stored.size))


def parts(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A record, cut so that a parameter or tag that is refused does not take the metrics beside it along."""
    body = record.get("body")
    if record["op"] != "log" or not isinstance(body, dict) or not (body.get("params") or body.get("tags")):
        return [record]
    names = [(kind, key) for kind in ("params", "tags") for key in body.get(kind) or {}]
    rest = {name: value for name, value in body.items() if name not in ("params", "tags")}
    ones = [{"batch_id": f"{body.get('batch_id')}-{n}", kind: {key: body[kind][key]}} for n, (kind, key) in enumerate(names)]
    return [{**record, "body": one} for one in ([rest, *ones] if rest.get("metrics") else ones)]


def put(session: Session, actor: Actor, record: dict[str, Any]) -> None:
    """Apply what a supervisor noted, within a transaction; where its run does not take it, that is left out."""
    with contextlib.suppress(MlwsError, msgspec.ValidationError):
        _one(session, actor, actor.workspace or DEFAULT, str(record["run_id"]), record)


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
    ref = runs.open_to_log(session, actor, run_id)
    storage.add_artifact(session, run_id, path, sha256, size, now_ms())
    runs.note_artifacts(session, ref)
