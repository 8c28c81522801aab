"""Writes the tree of a filter as text again: the one spelling of it that parse_filter reads back to an equal tree."""

from __future__ import annotations

import re

from jupyter_mlws.domain.search.nodes import (
    Aggregate,
    And,
    Between,
    Comparison,
    Entity,
    Field,
    Filter,
    InList,
    Not,
    Or,
    Value,
)

_PLAIN_KEY = re.compile(r"\w+", re.ASCII)


def render_filter(tree: Filter) -> str:
    """The text of a filter."""
    if isinstance(tree, And | Or):
        word = " AND " if isinstance(tree, And) else " OR "
        return word.join(_inner(term) for term in tree.terms)
    if isinstance(tree, Not):
        return f"NOT {_inner(tree.term)}"
    field, negated = render_field(tree.field), "NOT " if not isinstance(tree, Comparison) and tree.negated else ""
    if isinstance(tree, Comparison):
        return f"{field} {tree.operator.value} {_value(tree.value)}"
    if isinstance(tree, InList):
        return f"{field} {negated}IN ({', '.join(_value(value) for value in tree.values)})"
    if isinstance(tree, Between):
        return f"{field} {negated}BETWEEN {_value(tree.low)} AND {_value(tree.high)}"
    return f"{field} IS {negated}NULL"


def render_field(field: Field) -> str:
    """The text of a field; keys are quoted unless they are plain words."""
    if field.entity is Entity.ATTRIBUTE:
        return field.key
    key = field.key if _PLAIN_KEY.fullmatch(field.key) else "`" + field.key.replace("`", "``") + "`"
    suffix = "" if field.aggregate is Aggregate.LAST else f".{field.aggregate.value}"
    return f"{field.entity.value}.{key}{suffix}"


def _inner(tree: Filter) -> str:
    """A term of AND, OR or NOT: what is made of several terms stands in parentheses."""
    return f"({render_filter(tree)})" if isinstance(tree, And | Or) else render_filter(tree)


def _value(value: Value) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
