"""The outbox: one row for each object that changed, written in the transaction of the change.

A row is a *hint* ("run x of workspace y is different now"), never the data. A later change of the same object replaces its
row and gives it a greater `seq`, so the table stays as small as the number of objects, and asking for all rows with a
greater `seq` than the last seen gives every object that changed since, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db import driver
from jupyter_mlws.db.base import Base, varchar
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.shortcut import Plain

PENDING = "mlws_changes"


class Change(NamedTuple):
    """A hint that an object changed. `seq` is 0 for passing hints (logs, progress) that no table keeps."""

    seq: int
    workspace: str
    kind: str
    id: str
    parent: str | None
    at: int


class ChangeRow(Base):
    """The last change of an object."""

    __tablename__ = "changes"

    kind: Mapped[str] = mapped_column(varchar(32), primary_key=True)
    object_id: Mapped[str] = mapped_column(varchar(64), primary_key=True)
    seq: Mapped[int] = mapped_column(index=True)
    workspace: Mapped[str] = mapped_column(varchar(64))
    parent: Mapped[str | None] = mapped_column(varchar(64))
    at: Mapped[int] = mapped_column()
    times: Mapped[int] = mapped_column(Integer(), default=1)


def record_change(session: Session, workspace: str, kind: str, object_id: str, parent: str | None = None) -> None:
    """Note that an object changed; the writer stores the row with the transaction and tells listeners after the commit."""
    pending: dict[tuple[str, str], Change] = session.info.setdefault(PENDING, {})
    pending.pop((kind, object_id), None)
    pending[kind, object_id] = Change(0, workspace, kind, object_id, parent, now_ms())


def last_seq(session: Session) -> int:
    """The greatest sequence number given so far; 0 before the first change."""
    return session.execute(select(func.max(ChangeRow.seq))).scalar_one_or_none() or 0


_UPSERT = """
INSERT INTO changes (kind, object_id, seq, workspace, parent, at, times) {values}
ON CONFLICT (kind, object_id) DO UPDATE SET
  seq = excluded.seq, workspace = excluded.workspace, parent = excluded.parent, at = excluded.at, times = changes.times + 1
"""
_STORE = _UPSERT.format(values="VALUES (?, ?, ?, ?, ?, ?, 1)")


def store_changes(session: Session, changes: Sequence[Change]) -> None:
    """Write outbox rows, replacing the earlier rows of the same objects."""
    if changes:
        driver.run(session, _STORE, _rows(changes), many=True)


def put_changes(connection: Plain, changes: Sequence[Change]) -> None:
    """As `store_changes`, in a shortcut."""
    if changes:
        connection.run(_STORE, _rows(changes))


def _rows(changes: Sequence[Change]) -> list[tuple[Any, ...]]:
    return [(c.kind, c.id, c.seq, c.workspace, c.parent, c.at) for c in changes]


def hints_of(rows: str) -> str:
    """A part of a statement: stores a change for each object in `rows` (kind, object_id, seq, workspace, parent, at)."""
    newest = "SELECT kind, object_id, max(seq), workspace, parent, max(at), 1"
    return _UPSERT.format(values=f"{newest} FROM {rows} GROUP BY 1, 2, 4, 5")


def changes_after(session: Session, seq: int, limit: int, workspace: str | None = None) -> list[Change]:
    """Changes with a greater `seq`, oldest first, at most `limit`."""
    query = select(ChangeRow).where(ChangeRow.seq > seq).order_by(ChangeRow.seq).limit(limit)
    if workspace is not None:
        query = query.where(ChangeRow.workspace == workspace)
    rows = session.execute(query).scalars()
    return [Change(row.seq, row.workspace, row.kind, row.object_id, row.parent, row.at) for row in rows]
