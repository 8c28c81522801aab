"""Rules of datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.datasets import store
from jupyter_mlws.domain.datasets.schemas import Dataset
from jupyter_mlws.domain.datasets.tables import DatasetRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def keep(session: Session, experiment_id: int, given: Dataset) -> int:
    """The id of a dataset in an experiment. The first description of (name, digest) stays."""
    known = store.find(session, experiment_id, given.name, given.digest)
    if known is not None:
        return known
    row = DatasetRow(
        experiment_id=experiment_id,
        name=given.name,
        digest=given.digest,
        source_type=given.source_type,
        source=given.source,
        schema=given.schema,
        profile=given.profile,
    )
    return store.add(session, row)


def by_id(session: Session, ids: Collection[int]) -> dict[int, Dataset]:
    """Datasets by id."""
    return {
        row.id: Dataset(
            name=row.name,
            digest=row.digest,
            source_type=row.source_type,
            source=row.source,
            schema=row.schema,
            profile=row.profile,
        )
        for row in store.by_ids(session, ids)
    }
