"""SQL of logging: what it needs to know of a run, and the quick way to append points."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from jupyter_mlws.db import driver
from jupyter_mlws.db.outbox import hints_of
from jupyter_mlws.domain.runs.schemas import Lifecycle
from jupyter_mlws.domain.runs.states import TERMINAL
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.shortcut import Plain


_TARGET = """
SELECT r.workspace_id, w.name, r.experiment_id, r.status, r.kind, r.snapshot_id, r.lifecycle
FROM runs AS r JOIN workspaces AS w ON w.id = r.workspace_id WHERE r.id = ?
"""


class Target(NamedTuple):
    """What logging needs to know of a run."""

    workspace_id: int
    workspace: str
    experiment_id: int
    status: str
    kind: str
    snapshot_id: str | None
    lifecycle: str


def target(session: Session, run_id: str) -> Target | None:
    """What logging needs to know of a run: a prepared statement, for it runs with every point."""
    session.flush()
    rows = driver.fetch(session, _TARGET, (run_id,))
    return Target._make(rows[0]) if rows else None


def target_of(connection: Plain, run_id: str) -> Target | None:
    """As `target`, in a shortcut."""
    rows = connection.fetch(_TARGET, (run_id,))
    return Target._make(rows[0]) if rows else None


class GivenPoint(NamedTuple):
    """A point that a shortcut is to store, and its place in the group."""

    n: int
    run_id: str
    only_in: int | None
    """Id of the workspace that the run must be in."""
    key: str
    value: str | None
    """In digits, for JSON has no infinity; None is NaN."""
    step: int
    time: int
    seq: int


def append_points(connection: Plain, parts: str, given: Sequence[GivenPoint]) -> list[tuple[int, str, str, int]]:
    """In a shortcut on PostgreSQL: store points of runs that take them now, in one statement with their changes.

    `parts`: what stores them, given rows named `taken`, and tells them as `moved`. Returns (n, run id, workspace, experiment id) of the
    points that were stored.
    """
    # One text: the database takes it apart quicker than the driver makes arrays.
    points = msgspec.json.encode([point._asdict() for point in given]).decode()
    found = connection.ask(_storing(parts), (points, str(now_ms()), Lifecycle.ACTIVE.value))
    return [(int(n), run_id, workspace, int(experiment_id)) for n, run_id, workspace, experiment_id in found]


@cache
def _storing(parts: str) -> str:
    ended = ", ".join(f"'{status.value}'" for status in sorted(TERMINAL))
    hints = hints_of(
        "(SELECT 'metrics' AS kind, run_id AS object_id, seq, workspace, experiment_id::text AS parent, now_ms AS at FROM moved) AS m"
    )
    return f"""
WITH given AS (
  SELECT * FROM json_to_recordset($1::json)
    AS g (n int, run_id text, only_in bigint, key text, value float8, step bigint, time bigint, seq bigint)),
taken AS (
  SELECT g.*, w.name AS workspace, r.experiment_id, $2::bigint AS now_ms
  FROM given AS g JOIN runs AS r ON r.id = g.run_id JOIN workspaces AS w ON w.id = r.workspace_id
  WHERE r.lifecycle = $3 AND r.status NOT IN ({ended}) AND (g.only_in IS NULL OR g.only_in = r.workspace_id)),
{parts},
hinted AS ({hints})
SELECT n, run_id, workspace, experiment_id FROM moved"""  # noqa: S608 - constants of ours
