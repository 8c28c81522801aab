"""Keyset pages over any total order: a page goes on behind the sort key of the last row of the page before, never by an OFFSET."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from sqlalchemy import and_, false, literal, or_

from jupyter_mlws.domain.search.order import RANKS
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.pagination import decode_cursor, encode_cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.search.order import CompiledOrder, SortKey

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Found(Generic[RowT]):
    """One page of rows, with the sort key of its last row if more follow."""

    rows: list[RowT]
    last_key: list[Any] | None


class KeyPart(NamedTuple):
    """What stands at one place of a sort key."""

    type: type[Any]
    nullable: bool
    is_rank: bool


def page(
    session: Session,
    statement: Callable[..., Select[Any]],
    order: CompiledOrder,
    after: Sequence[Any] | None,
    limit: int,
) -> Found[Any]:
    """Rows in their order, after a sort key. `statement` selects the row and the columns it is given, and has the filter.

    Where it selects one thing, that is what is found; where it selects several columns, a row with these by name.
    """
    # With names of their own: a key may be a column of the row that is read as another type (an enum as text).
    keys = [column.label(f"key_{n}") for n, column in enumerate(column for key in order.keys for column in _parts(key))]
    query = statement(*keys)
    if after is not None:
        query = query.where(_beyond(order, after))
    rows = session.execute(order.apply(query).limit(limit + 1)).all()
    last = list(rows[limit - 1][-len(keys) :]) if len(rows) > limit else None
    found = rows[:limit]
    return Found([row[0] for row in found] if rows and len(rows[0]) == len(keys) + 1 else list(found), last)


def key_parts(order: CompiledOrder) -> list[KeyPart]:
    """What a sort key of this order is made of. PostgreSQL compares only like with like."""
    parts = []
    for key in order.keys:
        if key.rank is not None:
            parts.append(KeyPart(int, nullable=False, is_rank=True))
        parts.append(KeyPart(key.value.type.python_type, nullable=key.rank is not None, is_rank=False))
    return parts


def read_cursor(parts: Sequence[KeyPart], cursor: str | None) -> list[Any] | None:
    """The sort key in a cursor. Raises `BadInput` for one of another order."""
    if not cursor:
        return None
    key = [_from_json(value) for value in decode_cursor(cursor, len(parts))]
    if not all(map(_fits, key, parts)):
        raise BadInput("This cursor was made for another order; ask for the first page again.", field="cursor")
    return key


def write_cursor(last_key: Sequence[Any] | None) -> str | None:
    """The cursor of a page's last row; None where no more follow."""
    return None if last_key is None else encode_cursor(*map(_to_json, last_key))


def _fits(value: Any, part: KeyPart) -> bool:
    if value is None:
        return part.nullable
    if part.is_rank:
        return type(value) is int and value in RANKS
    return type(value) is part.type or (part.type is float and type(value) is int)


def _to_json(value: Any) -> Any:
    """JSON has no infinity; in a cursor it stands as a list of its sign."""
    return [1 if value > 0 else -1] if isinstance(value, float) and math.isinf(value) else value


def _from_json(value: Any) -> Any:
    if value in ([1], [-1]):
        return math.inf * value[0]
    if isinstance(value, (list, dict)):
        raise BadInput("This cursor was not made by this server for this list; ask for the first page again.", field="cursor")
    return value


def _parts(key: SortKey) -> list[ColumnElement[Any]]:
    return [key.value] if key.rank is None else [key.rank, key.value]


def _beyond(order: CompiledOrder, after: Sequence[Any]) -> ColumnElement[bool]:
    """True of rows that come after the sort key `after`: equal in the first keys, then beyond in one."""
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    values = iter(after)
    for key in order.keys:
        if key.rank is not None:
            rank = next(values)
            alternatives.append(and_(*equal, key.rank > rank))
            equal.append(key.rank == rank)
        value = next(values)
        if value is None:
            continue  # rows without a value are told apart by the keys that follow
        further = key.value < literal(value) if key.descending else key.value > literal(value)
        alternatives.append(and_(*equal, further))
        equal.append(key.value == literal(value))
    return or_(false(), *alternatives)
