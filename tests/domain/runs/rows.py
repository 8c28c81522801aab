"""Makes runs for tests of the domain, past HTTP."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import LogBatch, Run, RunCreate, RunEnd
from jupyter_mlws.domain.runs.tables import RunRow
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.service import SnapshotFile, StoredBlob
from jupyter_mlws.kit.actors import Actor, ActorKind

ADA = Actor(name="ada", kind=ActorKind.USER)
SIZE = 1_000


def ended(session: Session, *, workspace: str = "default", **fields: Any) -> Run:
    """A run that has ended."""
    run = runs.create_run(session, ADA, workspace, RunCreate(**fields))
    return runs.end_run(session, ADA, run.id, RunEnd(status="Completed"))


def scored(session: Session, value: float, experiment: str) -> Run:
    """A run with the metric `acc`."""
    run = runs.create_run(session, ADA, "default", RunCreate(experiment=experiment))
    point = MetricPoint(key="acc", value=value, time=1)
    runs.log_batch(session, ADA, run.id, LogBatch(batch_id="batch-0001", metrics=[point]))
    return runs.end_run(session, ADA, run.id, RunEnd(status="Completed"))


def give_file(session: Session, run_id: str, content: str) -> None:
    """A file of `SIZE` bytes; the same content is the same blob."""
    blob = StoredBlob(hashlib.sha256(content.encode()).hexdigest(), SIZE)
    storage.add_artifact(session, run_id, "outputs/model.bin", blob.sha256, blob.size)


def multiply(session: Session, run_id: str, times: int) -> None:
    """More rows like that of a run."""
    row = session.execute(select(RunRow.__table__).where(RunRow.id == run_id)).mappings().one()
    session.connection().execute(insert(RunRow), [{**row, "id": f"{n:032x}"} for n in range(times)])


def give_snapshots(session: Session) -> None:
    """Each run its own snapshot, of one file of `SIZE` bytes."""
    for run_id in session.execute(select(RunRow.id)).scalars().all():
        blob = StoredBlob(hashlib.sha256(run_id.encode()).hexdigest(), SIZE)
        snapshot = storage.store_snapshot(session, [SnapshotFile("a.py", blob.sha256, SIZE)], [blob])
        session.connection().execute(update(RunRow).where(RunRow.id == run_id).values(snapshot_id=snapshot))


def share_snapshot(session: Session, run_id: str, other: str) -> None:
    """Give the other run the snapshot of the first."""
    snapshot = session.execute(select(RunRow.snapshot_id).where(RunRow.id == run_id)).scalar_one()
    gone = session.execute(select(RunRow.snapshot_id).where(RunRow.id == other)).scalar_one()
    session.execute(update(RunRow).where(RunRow.id == other).values(snapshot_id=snapshot))
    storage.delete_snapshots(session, [gone or ""])
