"""Runs as the API answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.metrics.schemas import JOB_PREFIX
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.schemas import Run
from jupyter_mlws.domain.runs.service.rows import open_row
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.events import Hook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.tables import RunRow


decorating: Hook[[Session, dict[str, Run]]] = Hook()
"""Runs are about to be answered: upper slices add what they know (why a job waits)."""


def get_run(session: Session, actor: Actor, run_id: str) -> Run:
    """One run with all that is known of it."""
    row, _ = open_row(session, actor, Action.READ, run_id)
    return wires(session, [row])[0]


def wires(
    session: Session, rows: Sequence[RunRow], metric_keys: Sequence[str] | None = None, *, made_now: bool = False
) -> list[Run]:
    """Runs as the API answers them. Those `made_now`, in this transaction, have nothing yet that others could have added."""
    ids = [row.id for row in rows]
    params, tags = store.params_of(session, ids), store.tags_of(session, ids)
    summaries = {} if made_now else metrics.summaries(session, ids, metric_keys)
    children = {} if made_now else store.children_counts(session, ids)
    spaces = workspaces.workspace_names(session, {row.workspace_id for row in rows})
    names = experiments.names(session, {row.experiment_id for row in rows})
    now = now_ms()
    found = {}
    for row in rows:
        until = row.ended_at if row.ended_at is not None else now
        found[row.id] = Run(
            id=row.id,
            workspace=spaces[row.workspace_id],
            experiment_id=str(row.experiment_id),
            experiment_name=names[row.experiment_id],
            name=row.name,
            kind=row.kind,
            status=row.status,
            reason=row.reason,
            error=row.error,
            lifecycle=row.lifecycle,
            parent_id=row.parent_id,
            user=row.user,
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            duration_ms=None if row.started_at is None else max(0, until - row.started_at),
            source=row.source,
            target=row.target,
            progress=row.progress,
            waiting=None,
            params=params.get(row.id, {}),
            metrics={key: one for key, one in summaries.get(row.id, {}).items() if not key.startswith(JOB_PREFIX)},
            tags=tags.get(row.id, {}),
            note=row.note,
            inputs=row.inputs,
            outputs=row.outputs,
            children=children.get(row.id, 0),
            snapshot_id=row.snapshot_id,
            version=row.version,
        )
    if not made_now:
        decorating(session, found)
    return list(found.values())


def jobs_made_since(session: Session, workspace_id: int, since: int, limit: int) -> list[str]:
    """Ids of the newest jobs of a workspace that were made after a moment (ms)."""
    return store.jobs_made_since(session, workspace_id, since, limit)


def wires_by_id(session: Session, ids: Sequence[str]) -> list[Run]:
    """Runs by id, in the order of `ids`."""
    return wires(session, store.by_ids(session, ids))
