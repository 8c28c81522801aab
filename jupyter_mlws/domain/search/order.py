"""The language of orders, and its SQL: `metrics.accuracy DESC`, `params.lr`, `start_time`.

Fields are written as in filters. In EBNF:

```
order = [ term , { "," , term } ] ;
term  = field , [ "ASC" | "DESC" ] ;
```

Runs without a value come last whatever the direction, and those whose metric is NaN just before them. Ties go to the newest
start, then to the run's id: so every order is total, and pages can go on from the last row of the page before.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Column, case

from jupyter_mlws.domain.search.attributes import RUNS, Vocabulary
from jupyter_mlws.domain.search.columns import table_of
from jupyter_mlws.domain.search.errors import FilterTooLarge, OrderSyntax
from jupyter_mlws.domain.search.expressions import attribute_column, metric_number
from jupyter_mlws.domain.search.grammar import FieldReader
from jupyter_mlws.domain.search.nodes import Entity, Field, OrderTerm
from jupyter_mlws.domain.search.tokens import TokenKind
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, FromClause, Select

    from jupyter_mlws.domain.search.columns import KeyedColumns, MetricColumns, SearchColumns

ColumnsT = TypeVar("ColumnsT", "KeyedColumns", "MetricColumns")

RANKS = (0, 1, 2)
"""Of a run in a key of an order: it has a value, it has NaN, it has nothing."""
MAX_ORDER_TERMS = 16
"""Each may join one more table."""


def parse_order_by(order_by: str | Sequence[str] | None, vocabulary: Vocabulary = RUNS) -> tuple[OrderTerm, ...]:
    """The terms of an order, given as one text with commas or as several; raises OrderSyntax, with the place."""
    texts = [order_by] if isinstance(order_by, str) else order_by or []
    terms: list[OrderTerm] = []
    for text in texts:
        _OrderReader(text, vocabulary).read_into(terms)
    return tuple(terms)


class _OrderReader(FieldReader):
    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        super().__init__(text, vocabulary, OrderSyntax)

    def read_into(self, terms: list[OrderTerm]) -> None:
        if self.at(TokenKind.END):
            return
        while True:
            term, position = self._term()
            if any(term.field == other.field for other in terms):
                raise self.tokens.fail("The order has this field twice", position)
            if len(terms) == MAX_ORDER_TERMS:
                raise FilterTooLarge(f"An order has at most {MAX_ORDER_TERMS} terms", text=self.tokens.text, position=position)
            terms.append(term)
            if self.at(TokenKind.END):
                return
            if not self.at(TokenKind.COMMA):
                raise self.expected("ASC, DESC, ',' or the end")
            self.advance()

    def _term(self) -> tuple[OrderTerm, int]:
        position = self.token.position
        field = self.field()
        if field.entity is Entity.DATASET:
            raise self.tokens.fail("A run may have many datasets, so runs cannot be sorted by them", position)
        word = self.token.text.upper() if self.at(TokenKind.WORD) else ""
        if word in ("ASC", "DESC"):
            self.advance()
        elif word == "NULLS":
            raise self.tokens.fail("Runs without a value always come last", self.token.position)
        return OrderTerm(field, word == "DESC"), position


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of the SQL: first by `rank` where there is one (0 a value, 1 NaN, 2 none; never turned round), then by `value`."""

    value: ColumnElement[Any]
    rank: ColumnElement[int] | None
    descending: bool


@dataclass(frozen=True, slots=True)
class CompiledOrder:
    """An order as SQL: outer joins that add no rows, and the keys to sort by, which make it total."""

    joins: tuple[tuple[FromClause, ColumnElement[bool]], ...]
    keys: tuple[SortKey, ...]

    def clauses(self) -> list[ColumnElement[Any]]:
        """What ORDER BY takes."""
        found: list[ColumnElement[Any]] = []
        for key in self.keys:
            if key.rank is not None:
                found.append(key.rank.asc())
            found.append(key.value.desc() if key.descending else key.value.asc())
        return found

    def apply(self, statement: Select[Any]) -> Select[Any]:
        """The statement, over the runs, with the joins and ORDER BY."""
        for table, on in self.joins:
            statement = statement.outerjoin(table, on)
        return statement.order_by(*self.clauses())


def compile_order(
    terms: Sequence[OrderTerm], columns: SearchColumns, *, now: int | None = None, newest: ColumnElement[Any] | None = None
) -> CompiledOrder:
    """SQL of an order. `newest` breaks ties, greatest first; it is the start time if left out."""
    joins: list[tuple[FromClause, ColumnElement[bool]]] = []
    moment = now_ms() if now is None else now
    keys = [_sort_key(term, columns, moment, joins) for term in terms]
    fields = {(term.field.entity, term.field.key) for term in terms}
    if (Entity.ATTRIBUTE, "start_time") not in fields:
        keys.append(_by_column(columns.runs.started_at if newest is None else newest, descending=True))
    if (Entity.ATTRIBUTE, "run_id") not in fields:
        keys.append(SortKey(columns.runs.id, None, descending=False))
    return CompiledOrder(tuple(joins), tuple(keys))


def _by_column(column: ColumnElement[Any], *, descending: bool) -> SortKey:
    never_null = isinstance(column, Column) and not column.nullable
    return SortKey(column, None if never_null else case((column.is_(None), 2), else_=0), descending)


def _sort_key(term: OrderTerm, columns: SearchColumns, now: int, joins: list[tuple[FromClause, ColumnElement[bool]]]) -> SortKey:
    field, runs = term.field, columns.runs
    if field.entity is Entity.ATTRIBUTE and field.key != "experiment_name":
        return _by_column(attribute_column(runs, field.key, now), descending=term.descending)
    if field.entity is Entity.ATTRIBUTE:
        experiments = table_of(columns.experiments.id).alias()
        joins.append((experiments, experiments.c[columns.experiments.id.key] == runs.experiment_id))
        return _by_column(experiments.c[columns.experiments.name.key], descending=term.descending)
    if field.entity is Entity.METRIC:
        metrics, table = _aliased(columns.metrics)
        joins.append((table, _same_run(metrics, field, runs.id)))
        number = metric_number(metrics, columns.experiments, field)
        rank = case((metrics.run_id.is_(None), 2), (number.is_(None), 1), else_=0)
        return SortKey(number, rank, term.descending)
    keyed, table = _aliased(columns.params if field.entity is Entity.PARAM else columns.tags)
    joins.append((table, _same_run(keyed, field, runs.id)))
    return SortKey(keyed.value, case((keyed.run_id.is_(None), 2), else_=0), term.descending)


def _same_run(keyed: KeyedColumns | MetricColumns, field: Field, run_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return (keyed.run_id == run_id) & (keyed.key == field.key)


def _aliased(columns: ColumnsT) -> tuple[ColumnsT, FromClause]:
    """The same columns of a further alias of their table, and the alias: a table may be joined for several keys."""
    table = table_of(columns.run_id).alias()
    names = {field.name: getattr(columns, field.name).key for field in dataclasses.fields(columns)}
    return dataclasses.replace(columns, **{name: table.c[key] for name, key in names.items()}), table
