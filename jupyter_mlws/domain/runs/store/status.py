"""SQL of the status of runs, and of its history."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from jupyter_mlws.db import driver
from jupyter_mlws.domain.runs.schemas import RunKind
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.runs.tables import RunRow, RunStatusRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


_STATE = """
SELECT r.status, r.version, r.kind, r.started_at, r.workspace_id, w.name, r.experiment_id, r.snapshot_id
FROM runs AS r JOIN workspaces AS w ON w.id = r.workspace_id WHERE r.id = ?
"""


class State(NamedTuple):
    """What a change of status goes by."""

    status: RunStatus
    version: int
    kind: RunKind
    started_at: int | None
    workspace_id: int
    workspace: str
    experiment_id: int
    snapshot_id: str | None


def state(session: Session, run_id: str) -> State | None:
    """What a change of status goes by, as it is now."""
    session.flush()
    rows = driver.fetch(session, _STATE, (run_id,))
    return State(RunStatus(rows[0][0]), rows[0][1], RunKind(rows[0][2]), *rows[0][3:]) if rows else None


def compare_and_set(session: Session, run_id: str, known: State, values: dict[str, Any]) -> bool:
    """Write `values` if the run still has the version and status that are `known`. A row of it that the session has follows."""
    values = {**values, "version": known.version + 1}
    names = ", ".join(f"{name} = ?" for name in values)
    given = [_plain(value) for value in values.values()]
    sql = f"UPDATE runs SET {names} WHERE id = ? AND version = ? AND status = ?"  # noqa: S608 - names of columns
    done = driver.change(session, sql, [*given, run_id, known.version, known.status.value]) == 1
    row = session.identity_map.get(identity_key(RunRow, run_id))
    if row is not None and done:
        for name, value in values.items():
            set_committed_value(row, name, value)
    elif row is not None:
        session.refresh(row)
    return done


def _plain(value: Any) -> Any:
    """A value as its column has it."""
    if isinstance(value, Struct):
        return msgspec.json.encode(value).decode()
    return value.value if isinstance(value, Enum) else value


_STATUS = """
INSERT INTO run_status_changes (run_id, n, status, at, reason, actor)
SELECT ?, COALESCE(MAX(n), 0) + 1, ?, ?, ?, ? FROM run_status_changes WHERE run_id = ?
"""


def add_status(session: Session, run_id: str, status: RunStatus, at: int, reason: str | None, actor: str) -> None:
    """Append to the status history."""
    session.flush()
    driver.run(session, _STATUS, [run_id, status.value, at, reason, actor, run_id])


def status_history(session: Session, run_id: str) -> list[RunStatusRow]:
    """All status changes of a run, oldest first."""
    return list(session.execute(select(RunStatusRow).where(RunStatusRow.run_id == run_id).order_by(RunStatusRow.n)).scalars())
