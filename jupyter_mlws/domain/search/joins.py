"""A join whose left side is read first. SQLite otherwise may begin with the larger table, and then sort all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import Join

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


class OrderedJoin(Join):
    """`left JOIN right ON …`, in this order."""

    inherit_cache = True


@compiles(OrderedJoin)
def _join(element: OrderedJoin, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.visit_join(element, **options))  # type: ignore[no-untyped-call]


@compiles(OrderedJoin, "sqlite")
def _cross_join(element: OrderedJoin, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite never changes the order of a CROSS JOIN."""
    left = compiler.process(element.left, asfrom=True, **{k: v for k, v in options.items() if k != "asfrom"})
    text = str(compiler.visit_join(element, **options))  # type: ignore[no-untyped-call]
    return f"{left} CROSS JOIN {text[len(left) + len(' JOIN ') :]}"
