"""SQL of environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, exists, func, select

from jupyter_mlws.db import driver
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.environments.tables import EnvironmentRow, EnvironmentVersionRow, PackageSetRow, RunEnvironmentRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


def of_run(session: Session, run_id: str) -> tuple[RunEnvironmentRow, dict[str, str]] | None:
    """The environment of a run, with its packages."""
    row = session.get(RunEnvironmentRow, run_id)
    if row is None:
        return None
    packages = session.get(PackageSetRow, row.package_set_id)
    return row, packages.packages if packages is not None else {}


def capture_of_run(session: Session, run_id: str) -> EnvironmentCapture | None:
    """What a run ran in, without its packages."""
    session.flush()
    found = driver.fetch(session, "SELECT capture FROM run_environments WHERE run_id = ?", [run_id])
    return msgspec.json.decode(found[0][0], type=EnvironmentCapture) if found else None


def put(session: Session, run_id: str, capture: EnvironmentCapture, digest: str, packages: str) -> None:
    """Store what a run ran in, replacing what was known before. `packages`: as JSON, and its SHA-256."""
    if not driver.fetch(session, "SELECT 1 FROM package_sets WHERE id = ?", [digest]):
        driver.put(session, "package_sets", [{"id": digest, "packages": packages}], ["id"], ["packages"])
    row = {"run_id": run_id, "package_set_id": digest, "capture": msgspec.json.encode(capture).decode()}
    driver.put(session, "run_environments", [row], ["run_id"], ["package_set_id", "capture"])


def delete_of_runs(session: Session, run_ids: Sequence[str]) -> None:
    """Remove the environments of runs, and lists of packages that none uses any more."""
    mine = RunEnvironmentRow.run_id.in_(listed(session, run_ids))
    sets = list(session.execute(select(RunEnvironmentRow.package_set_id).where(mine).distinct()).scalars())
    session.execute(delete(RunEnvironmentRow).where(mine))
    used = exists().where(RunEnvironmentRow.package_set_id == PackageSetRow.id)
    session.execute(delete(PackageSetRow).where(PackageSetRow.id.in_(listed(session, sets)), ~used))


# --- environments of a workspace


def environment(session: Session, workspace_id: int, name: str, *, locked: bool = False) -> EnvironmentRow | None:
    """An environment. `locked`: nobody else numbers its versions until the transaction ends."""
    query = select(EnvironmentRow).where(EnvironmentRow.workspace_id == workspace_id, EnvironmentRow.name == name)
    return session.execute(query.with_for_update() if locked else query).scalar_one_or_none()


def names(session: Session, workspace_id: int) -> list[str]:
    """Names of the environments of a workspace that are not archived."""
    here = (EnvironmentRow.workspace_id == workspace_id, EnvironmentRow.archived_at.is_(None))
    return list(session.execute(select(EnvironmentRow.name).where(*here).order_by(EnvironmentRow.name)).scalars())


def page(session: Session, workspace_id: int, after: str, limit: int, *, archived: bool) -> list[EnvironmentRow]:
    """Environments by name, from behind `after` on."""
    query = select(EnvironmentRow).where(EnvironmentRow.workspace_id == workspace_id, EnvironmentRow.name > after)
    state = EnvironmentRow.archived_at.is_not(None) if archived else EnvironmentRow.archived_at.is_(None)
    return list(session.execute(query.where(state).order_by(EnvironmentRow.name).limit(limit)).scalars())


def latest(session: Session, ids: Collection[int]) -> dict[int, EnvironmentVersionRow]:
    """The newest version of each of these environments."""
    if not ids:
        return {}
    newest = (
        select(EnvironmentVersionRow.environment_id, func.max(EnvironmentVersionRow.number).label("number"))
        .where(EnvironmentVersionRow.environment_id.in_(listed(session, ids)))
        .group_by(EnvironmentVersionRow.environment_id)
        .subquery()
    )
    of_newest = (
        EnvironmentVersionRow.environment_id == newest.c.environment_id,
        EnvironmentVersionRow.number == newest.c.number,
    )
    query = select(EnvironmentVersionRow).where(*of_newest)
    return {row.environment_id: row for row in session.execute(query).scalars()}


def version(session: Session, environment_id: int, number: int) -> EnvironmentVersionRow | None:
    """A version by its number."""
    here = (EnvironmentVersionRow.environment_id == environment_id, EnvironmentVersionRow.number == number)
    return session.execute(select(EnvironmentVersionRow).where(*here)).scalar_one_or_none()


def version_like(session: Session, environment_id: int, definition_hash: str) -> EnvironmentVersionRow | None:
    """The version that has this definition."""
    here = (EnvironmentVersionRow.environment_id == environment_id, EnvironmentVersionRow.definition_hash == definition_hash)
    return session.execute(select(EnvironmentVersionRow).where(*here)).scalar_one_or_none()


def version_by_id(session: Session, version_id: int) -> EnvironmentVersionRow | None:
    """A version by its id."""
    return session.get(EnvironmentVersionRow, version_id)


def versions(session: Session, environment_id: int, before: int, limit: int) -> list[EnvironmentVersionRow]:
    """Versions with a smaller number than `before`, the newest first."""
    here = (EnvironmentVersionRow.environment_id == environment_id, EnvironmentVersionRow.number < before)
    query = select(EnvironmentVersionRow).where(*here).order_by(EnvironmentVersionRow.number.desc())
    return list(session.execute(query.limit(limit)).scalars())


def add(session: Session, row: EnvironmentRow | EnvironmentVersionRow) -> None:
    """Store a new row."""
    session.add(row)
    session.flush()


def hashes_in_use(session: Session, also: Collection[int]) -> set[str]:
    """Hashes of the definitions of environments that are not archived, and of the versions with these ids."""
    there = select(EnvironmentRow.id).where(EnvironmentRow.archived_at.is_(None))
    query = select(EnvironmentVersionRow.definition_hash).where(EnvironmentVersionRow.environment_id.in_(there))
    found = set(session.execute(query).scalars())
    if also:
        named = EnvironmentVersionRow.id.in_(listed(session, also))
        found.update(session.execute(select(EnvironmentVersionRow.definition_hash).where(named)).scalars())
    return found


def environment_by_id(session: Session, environment_id: int) -> EnvironmentRow | None:
    """An environment by its id."""
    return session.get(EnvironmentRow, environment_id)
