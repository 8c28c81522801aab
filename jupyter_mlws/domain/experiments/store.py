"""SQL of experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, tuple_

from jupyter_mlws.db import driver
from jupyter_mlws.db.text import lowered
from jupyter_mlws.domain.experiments.tables import ExperimentRow, ExperimentTagRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session


def by_id(session: Session, experiment_id: int) -> ExperimentRow | None:
    """The experiment with this id."""
    return session.get(ExperimentRow, experiment_id)


_PLACE = """
SELECT e.id, e.name, e.workspace_id, w.name FROM experiments AS e JOIN workspaces AS w ON w.id = e.workspace_id WHERE e.id = ?
"""


def place(session: Session, experiment_id: int) -> tuple[int, str, int, str] | None:
    """(id, name, workspace's id, workspace's name) of an experiment."""
    session.flush()
    found = driver.fetch(session, _PLACE, [experiment_id])
    return (found[0][0], found[0][1], found[0][2], found[0][3]) if found else None


def names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names by id."""
    return dict(driver.fetch_among(session, "SELECT id, name FROM experiments WHERE id {among}", ids))


def standing(session: Session, workspace_id: int, name: str) -> tuple[int, int | None] | None:
    """(id, when it was archived) of the experiment of this name in a workspace."""
    session.flush()
    sql = "SELECT id, archived_at FROM experiments WHERE workspace_id = ? AND name = ?"
    found = driver.fetch(session, sql, [workspace_id, name])
    return (found[0][0], found[0][1]) if found else None


def note_use(session: Session, experiment_id: int, at: int) -> None:
    """A run was made in it."""
    session.flush()
    driver.run(session, "UPDATE experiments SET used_at = ? WHERE id = ? AND used_at < ?", [at, experiment_id, at])


def by_name(session: Session, workspace_id: int, name: str) -> ExperimentRow | None:
    """The experiment of this name in a workspace."""
    query = select(ExperimentRow).where(ExperimentRow.workspace_id == workspace_id, ExperimentRow.name == name)
    return session.execute(query).scalar_one_or_none()


def page(
    session: Session, workspace_id: int, *, text: str, archived: bool, after: tuple[int, int] | None, limit: int
) -> list[ExperimentRow]:
    """Experiments whose name contains `text` (any case), the most recently used first."""
    query = select(ExperimentRow).where(ExperimentRow.workspace_id == workspace_id)
    query = query.where(ExperimentRow.archived_at.is_not(None) if archived else ExperimentRow.archived_at.is_(None))
    if text:
        query = query.where(lowered(ExperimentRow.name).contains(text.lower(), autoescape=True))
    if after is not None:
        query = query.where(tuple_(ExperimentRow.used_at, ExperimentRow.id) < after)
    query = query.order_by(ExperimentRow.used_at.desc(), ExperimentRow.id.desc()).limit(limit)
    return list(session.execute(query).scalars())


def all_of_workspace(session: Session, workspace_id: int) -> list[ExperimentRow]:
    """All experiments of a workspace, archived ones too."""
    return list(session.execute(select(ExperimentRow).where(ExperimentRow.workspace_id == workspace_id)).scalars())


def add(session: Session, row: ExperimentRow) -> None:
    """Store a new experiment."""
    session.add(row)
    session.flush()


def remove(session: Session, row: ExperimentRow) -> None:
    """Remove an experiment; its runs must be gone."""
    session.execute(delete(ExperimentTagRow).where(ExperimentTagRow.experiment_id == row.id))
    session.delete(row)
    session.flush()


_TAGS = "SELECT experiment_id, key, value FROM experiment_tags WHERE experiment_id {among} ORDER BY key"


def tags_of(session: Session, ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Tags by experiment id."""
    found: dict[int, dict[str, str]] = {}
    for experiment_id, key, value in driver.fetch_among(session, _TAGS, ids):
        found.setdefault(experiment_id, {})[key] = value
    return found


def set_tags(session: Session, experiment_id: int, tags: Mapping[str, str | None]) -> None:
    """Set tags; those given as None are removed."""
    rows = [{"experiment_id": experiment_id, "key": key, "value": value} for key, value in tags.items() if value is not None]
    if gone := [key for key, value in tags.items() if value is None]:
        mine = ExperimentTagRow.experiment_id == experiment_id
        session.execute(delete(ExperimentTagRow).where(mine, ExperimentTagRow.key.in_(gone)))
    driver.put(session, ExperimentTagRow.__tablename__, rows, ["experiment_id", "key"], ["value"])


_LOCATIONS = "SELECT id, artifact_location FROM experiments WHERE id {among} AND artifact_location IS NOT NULL"


def artifact_locations(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The places that experiments have for their artifacts."""
    return dict(driver.fetch_among(session, _LOCATIONS, ids))


def counts_by_workspace(session: Session) -> dict[int, int]:
    """Number of experiments by workspace id, archived ones left out."""
    query = (
        select(ExperimentRow.workspace_id, func.count())
        .where(ExperimentRow.archived_at.is_(None))
        .group_by(ExperimentRow.workspace_id)
    )
    return dict(session.execute(query).all())
