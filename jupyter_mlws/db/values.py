"""Many values in one statement: as rows of one bound text, so that neither their number nor the cache of statements has a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import JSON, BigInteger, Select, Text, bindparam, cast, func, select

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def listed(session: Session, values: Collection[str] | Collection[int]) -> Select[tuple[Any]]:
    """The values, all texts or all whole numbers, as rows of one column: `column.in_(listed(session, values))`."""
    text = bindparam(None, msgspec.json.encode(list(values)).decode(), Text(), unique=True)
    if session.get_bind().dialect.name == "postgresql":
        column: Any = func.json_array_elements_text(cast(text, JSON)).column_valued()
        return select(cast(column, BigInteger) if isinstance(next(iter(values), None), int) else column)
    return select(func.json_each(text).table_valued("value").c.value)
