"""Whether the chunks of points are what was written: all can be decoded, and say of themselves what is in them. It only looks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.metrics import chunks, store
from jupyter_mlws.domain.metrics.errors import DamagedChunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.db.database import Database

BATCH = 200
COMPARED = {
    "first": "first point",
    "last": "last point",
    "points": "number of points",
    "not_finite": "number of values that are not finite",
    "min_value": "least value",
    "max_value": "greatest value",
    "pieces": "outline",
}


class ChunkProblem(NamedTuple):
    """A chunk that is not as it should be."""

    chunk_id: int
    run_id: str
    """Empty where no series has this chunk."""
    key: str
    what: str


def check(db: Database, progress: Callable[[int], None] | None = None) -> tuple[int, list[ChunkProblem]]:
    """Decode every chunk and compare it with its header; the number of chunks, and those with a fault. For a thread."""
    number = last = 0
    found: list[ChunkProblem] = []
    while rows := db.read_sync(partial(store.headers_after, chunk_id=last, limit=BATCH)):
        last = rows[-1].id
        number += len(rows)
        bad = [(row, what) for row in rows if (what := fault_of(row)) is not None]
        if bad:
            names = db.read_sync(partial(store.names_of, series={row.series_id for row, _ in bad}))
            found += [ChunkProblem(row.id, *names.get(row.series_id, ("", "")), what) for row, what in bad]
        if progress is not None:
            progress(number)
    return number, found


def fault_of(row: store.Header) -> str | None:
    """What is wrong with a chunk, in words; None where nothing is."""
    try:
        points = chunks.decode(row.data)
    except DamagedChunk:
        return "its points cannot be decoded"
    true = chunks.make_chunk(points)
    wrong = [words for name, words in COMPARED.items() if getattr(row, name) != getattr(true, name)]
    return f"its header is not that of its points ({', '.join(wrong)})" if wrong else None
