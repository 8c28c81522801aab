"""The tree of a filter: what grammar.py reads and filters.py compiles. All nodes are immutable and compare by value.

Values are already of the field's own type: `float` for metrics, whole milliseconds (or a fraction) for times and durations,
`int` for the experiment's id, `str` for all else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Entity(str, Enum):
    """What a field belongs to; the value is how it is written."""

    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    ATTRIBUTE = "attributes"
    DATASET = "datasets"


class Aggregate(str, Enum):
    """Which number of a metric: its last value, its least, its greatest, or the better one of these two."""

    LAST = "last"
    MIN = "min"
    MAX = "max"
    BEST = "best"


class Operator(str, Enum):
    """A comparator that takes one value."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    NOT_LIKE = "NOT LIKE"
    NOT_ILIKE = "NOT ILIKE"


Value = str | int | float


@dataclass(frozen=True, slots=True)
class Field:
    """The left side of a comparison. The key of an attribute is its canonical name, e.g. `start_time` for `created`."""

    entity: Entity
    key: str
    aggregate: Aggregate = Aggregate.LAST


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`."""

    field: Field
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class InList:
    """`field [NOT] IN (value, …)`."""

    field: Field
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """`field [NOT] BETWEEN low AND high`, both ends included."""

    field: Field
    low: int | float
    high: int | float
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    """`field IS [NOT] NULL`: the run has no such key (or has one)."""

    field: Field
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT term`: every run that `term` does not match."""

    term: Filter


@dataclass(frozen=True, slots=True)
class And:
    """Two or more terms that must all match."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more terms of which one must match."""

    terms: tuple[Filter, ...]


Term = Comparison | InList | Between | IsNull
Filter = Comparison | InList | Between | IsNull | Not | And | Or


def map_terms(tree: Filter, change: Callable[[Term], Filter]) -> Filter:
    """The same filter with other terms."""
    if isinstance(tree, And | Or):
        return type(tree)(tuple(map_terms(term, change) for term in tree.terms))
    if isinstance(tree, Not):
        return Not(map_terms(tree.term, change))
    return change(tree)


def entities_of(tree: Filter | None) -> set[Entity]:
    """What a filter speaks of."""
    if isinstance(tree, And | Or):
        return set().union(*(entities_of(term) for term in tree.terms))
    if isinstance(tree, Not):
        return entities_of(tree.term)
    return set() if tree is None else {tree.field.entity}


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One column to sort by."""

    field: Field
    descending: bool = False
