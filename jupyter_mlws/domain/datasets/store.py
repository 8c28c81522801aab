"""SQL of datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.datasets.tables import DatasetRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def find(session: Session, experiment_id: int, name: str, digest: str) -> int | None:
    """The id of the dataset of this name and digest in an experiment."""
    row = DatasetRow
    query = select(row.id).where(row.experiment_id == experiment_id, row.name == name, row.digest == digest)
    return session.execute(query).scalar_one_or_none()


def add(session: Session, row: DatasetRow) -> int:
    """Store a new dataset; its id."""
    session.add(row)
    session.flush()
    return row.id


def by_ids(session: Session, ids: Collection[int]) -> list[DatasetRow]:
    """Datasets with these ids."""
    return list(session.execute(select(DatasetRow).where(DatasetRow.id.in_(listed(session, ids)))).scalars()) if ids else []
