"""LIKE and ILIKE that mean the same on SQLite and PostgreSQL.

SQLite's LIKE ignores the case of ASCII letters only, or of none, as the connection is set; so there GLOB is used, which always
minds the case. Both forms of the pattern are bound values, and each database is given its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, ColumnElement, Text, literal, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from jupyter_mlws.domain.search.like import glob_sql, like_sql

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


ILIKE = 'COLLATE "default" ILIKE'
"""By the database's collation: that of the columns, of bytes, knows the letters of English alone."""


class TextMatch(FunctionElement[bool]):
    """Whether a column matches a pattern, case minded."""

    inherit_cache = True
    type = Boolean()
    name = "text_match"


class TextMatchIgnoringCase(FunctionElement[bool]):
    """Whether a column matches a pattern, case ignored."""

    inherit_cache = True
    type = Boolean()
    name = "text_match_ignoring_case"


def text_match(column: ColumnElement[Any], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
    """`column LIKE pattern`, or ILIKE."""
    element = TextMatchIgnoringCase if ignore_case else TextMatch
    glob = literal(glob_sql(pattern, ignore_case=ignore_case), Text())
    return element(type_coerce(column, Text()), glob, literal(like_sql(pattern), Text()))


def _written(
    element: FunctionElement[bool], operator: str, pattern_at: int, compiler: SQLCompiler, options: dict[str, Any]
) -> str:
    """Only the pattern that is used is rendered: the other one is then never sent."""
    column, pattern = (list(element.clauses)[at] for at in (0, pattern_at))
    return f"{compiler.process(column, **options)} {operator} {compiler.process(pattern, **options)}"


@compiles(TextMatch)
def _match(element: TextMatch, compiler: SQLCompiler, **options: Any) -> str:
    return f"({_written(element, 'LIKE', 2, compiler, options)} ESCAPE '\\')"


@compiles(TextMatchIgnoringCase)
def _match_ignoring_case(element: TextMatchIgnoringCase, compiler: SQLCompiler, **options: Any) -> str:
    return f"({_written(element, ILIKE, 2, compiler, options)} ESCAPE '\\')"


@compiles(TextMatch, "sqlite")
@compiles(TextMatchIgnoringCase, "sqlite")
def _glob(element: FunctionElement[bool], compiler: SQLCompiler, **options: Any) -> str:
    return f"({_written(element, 'GLOB', 1, compiler, options)})"
