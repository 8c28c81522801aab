"""SQL of captured environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select

from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.environments.tables import PackageSetRow, RunEnvironmentRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def of_run(session: Session, run_id: str) -> tuple[RunEnvironmentRow, dict[str, str]] | None:
    """The environment of a run, with its packages."""
    row = session.get(RunEnvironmentRow, run_id)
    if row is None:
        return None
    packages = session.get(PackageSetRow, row.package_set_id)
    return row, packages.packages if packages is not None else {}


def put(session: Session, row: RunEnvironmentRow, packages: dict[str, str]) -> None:
    """Store the environment of a run, replacing an earlier one."""
    if session.get(PackageSetRow, row.package_set_id) is None:
        session.add(PackageSetRow(id=row.package_set_id, packages=packages))
    session.merge(row)
    session.flush()


def delete_of_runs(session: Session, run_ids: Sequence[str]) -> None:
    """Remove the environments of runs, and lists of packages that none uses any more."""
    mine = RunEnvironmentRow.run_id.in_(listed(session, run_ids))
    sets = list(session.execute(select(RunEnvironmentRow.package_set_id).where(mine).distinct()).scalars())
    session.execute(delete(RunEnvironmentRow).where(mine))
    used = exists().where(RunEnvironmentRow.package_set_id == PackageSetRow.id)
    session.execute(delete(PackageSetRow).where(PackageSetRow.id.in_(listed(session, sets)), ~used))
