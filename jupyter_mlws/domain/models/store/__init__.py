"""SQL of models: `registry.py` of names and versions, `logged.py` of what runs log."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

T = TypeVar("T")
BATCH = 500


def batches(ids: Collection[T]) -> Iterator[list[T]]:
    """Ids in lists that a statement can take."""
    given = list(ids)
    for start in range(0, len(given), BATCH):
        yield given[start : start + BATCH]
