"""Text in SQL that means the same on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


class lowered(FunctionElement[str]):  # noqa: N801 - a function of SQL, written as SQLAlchemy writes them
    """A text in small letters, those of all alphabets. (On SQLite `engine.py` gives each connection Python's own.)"""

    inherit_cache = True
    type = Text()
    name = "lowered"


@compiles(lowered)
def _lower(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(lowered, "postgresql")
def _lower_as_the_database_does(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    """The columns' own collation is that of bytes, which knows the letters of English alone."""
    return f'lower({compiler.process(element.clauses, **options)} COLLATE "default")'
