"""SQL of the rules by which runs are kept, and of what they and the bin let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import aliased

from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.runs.schemas import Lifecycle
from jupyter_mlws.domain.runs.tables import RetentionRow, RunRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def retention(session: Session, workspace_id: int, experiment_id: int) -> RetentionRow | None:
    """The rule of an experiment, or (0) of a workspace."""
    return session.get(RetentionRow, (workspace_id, experiment_id))


def with_retention(session: Session) -> list[tuple[int, int]]:
    """(workspace, experiment) of all experiments with a rule of their own, or in a workspace with one."""
    has_rule = RetentionRow.rule.is_not(None)
    own = select(RunRow.workspace_id, RunRow.experiment_id).join(
        RetentionRow,
        (RetentionRow.workspace_id == RunRow.workspace_id) & RetentionRow.experiment_id.in_([0, RunRow.experiment_id]) & has_rule,
    )
    return [(workspace, experiment) for workspace, experiment in session.execute(own.distinct())]


def has_retention(session: Session, run_id: str) -> bool:
    """Whether a rule is about the experiment of a run."""
    rule = (RetentionRow.workspace_id == RunRow.workspace_id) & RetentionRow.experiment_id.in_([0, RunRow.experiment_id])
    query = select(RunRow.id).join(RetentionRow, rule & RetentionRow.rule.is_not(None)).where(RunRow.id == run_id)
    return session.execute(query.limit(1)).first() is not None


def forget_retention(session: Session, experiment_ids: Collection[int]) -> None:
    """The experiments are gone."""
    session.execute(delete(RetentionRow).where(RetentionRow.experiment_id.in_(listed(session, experiment_ids))))


def top_runs(session: Session, experiment_id: int) -> list[RunRow]:
    """Runs of an experiment that are below no other and not in the bin, the newest first."""
    mine = (RunRow.experiment_id == experiment_id, RunRow.lifecycle == Lifecycle.ACTIVE, RunRow.parent_id.is_(None))
    return list(session.execute(select(RunRow).where(*mine).order_by(RunRow.created_at.desc(), RunRow.id.desc())).scalars())


def in_bin_since(session: Session, before: int) -> list[str]:
    """Runs that were moved to the bin before this time (ms) and have no run below them."""
    below = aliased(RunRow)
    free = ~exists().where(below.parent_id == RunRow.id)
    query = select(RunRow.id).where(RunRow.lifecycle == Lifecycle.DELETED, RunRow.deleted_at < before, free)
    return list(session.execute(query).scalars())
