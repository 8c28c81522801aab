"""How much a database holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text

from jupyter_mlws.db.base import Base

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.server.admin.place import Place

COUNTED = {
    "workspaces": "workspaces",
    "experiments": "experiments",
    "runs": "runs",
    "jobs": "jobs",
    "series": "metric_latest",
    "chunks": "metric_chunk",
    "artifacts": "artifacts",
    "snapshots": "snapshots",
    "files": "blobs",
}


def counts_of(session: Session) -> dict[str, int]:
    """Rows by what they stand for, and the number of metric points."""
    tables = Base.metadata.tables
    found = {name: _one(session, select(func.count()).select_from(tables[table])) for name, table in COUNTED.items()}
    found["points"] = _one(session, select(func.coalesce(func.sum(tables["metric_latest"].c["count"]), 0)))
    return found


def bytes_of(place: Place, session: Session | None) -> int:
    """Bytes that the database takes; of an SQLite file with its journal."""
    if place.sqlite:
        return sum(_size(place.file.with_name(place.file.name + end)) for end in ("", "-wal"))
    return 0 if session is None else _one(session, text("SELECT pg_database_size(current_database())"))


def _one(session: Session, query: Any) -> int:
    return int(session.execute(query).scalar_one())


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
