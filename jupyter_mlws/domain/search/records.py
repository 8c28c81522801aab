"""Filters and orders over other records than runs: a table with attributes, and tables of their tags, params and metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, not_, or_, select, true

from jupyter_mlws.domain.search.attributes import Holds
from jupyter_mlws.domain.search.columns import table_of
from jupyter_mlws.domain.search.errors import FilterUnsupported
from jupyter_mlws.domain.search.filters import is_negative, lacking, number_test, text_test
from jupyter_mlws.domain.search.grammar import parse_filter
from jupyter_mlws.domain.search.nodes import And, Comparison, Entity, IsNull, Not, Operator, Or
from jupyter_mlws.domain.search.order import CompiledOrder, SortKey, parse_order_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.sql.elements import KeyedColumnElement

    from jupyter_mlws.domain.search.attributes import Vocabulary
    from jupyter_mlws.domain.search.columns import KeyedColumns
    from jupyter_mlws.domain.search.filters import Term, Test
    from jupyter_mlws.domain.search.nodes import Filter


@dataclass(frozen=True, slots=True)
class Records:
    """What filters over a kind of record are compiled against. `run_id` of tags, params and metrics names the record."""

    vocabulary: Vocabulary
    keys: Sequence[ColumnElement[Any]]
    """The columns of the record that its tags name, in the order of `owner` below; mostly one, its id."""
    attributes: Mapping[str, ColumnElement[Any]]
    tags: KeyedColumns | None = None
    tag_owner: Sequence[KeyedColumnElement[Any]] = ()
    """The columns of a tag that name the record; `tags.run_id` alone if left out."""
    params: KeyedColumns | None = None
    metrics: KeyedColumns | None = None
    """One row a point: any of them may match. NaN is a NULL value."""
    metric_test: ColumnElement[bool] | None = None
    """What else must be true of a metric's row."""


def compile_records(text: str | None, records: Records) -> ColumnElement[bool]:
    """SQL that is true of the records that match a filter. Raises FilterSyntax and FilterUnsupported."""
    return compile_tree(parse_filter(text, records.vocabulary), records)


def compile_tree(tree: Filter | None, records: Records) -> ColumnElement[bool]:
    """The same of a filter that is read already."""
    return true() if tree is None else _tree(tree, records)


def order_records(
    order_by: Sequence[str] | None,
    records: Records,
    ties: Sequence[tuple[str, bool]],
    orders: Mapping[str, ColumnElement[Any]] | None = None,
) -> CompiledOrder:
    """SQL of an order. `ties` are (attribute, descending) that follow, unless they are named; `orders` are all that may be named."""
    known = records.attributes if orders is None else orders
    keys: dict[str, SortKey] = {}
    for term in parse_order_by(list(order_by or []), records.vocabulary):
        if term.field.entity is not Entity.ATTRIBUTE or term.field.key not in known:
            words = ", ".join(known)
            raise FilterUnsupported(f"{records.vocabulary.noun} are sorted by {words} only", field="order_by")
        keys[term.field.key] = sort_key(known[term.field.key], descending=term.descending)
    for name, descending in ties:
        keys.setdefault(name, sort_key(records.attributes[name], descending=descending))
    return CompiledOrder((), tuple(keys.values()))


def sort_key(column: ColumnElement[Any], *, descending: bool) -> SortKey:
    """An attribute as a key of an order."""
    never_null = not getattr(column, "nullable", True)
    return SortKey(column, None if never_null else case((column.is_(None), 2), else_=0), descending)


def _tree(tree: Filter, records: Records) -> Test:
    if isinstance(tree, And):
        return and_(*(_tree(term, records) for term in tree.terms))
    if isinstance(tree, Or):
        return or_(*(_tree(term, records) for term in tree.terms))
    if isinstance(tree, Not):
        return not_(_tree(tree.term, records).self_group())
    return _term(tree, records)


def _term(term: Term, records: Records) -> Test:
    entity = term.field.entity
    if entity is Entity.ATTRIBUTE:
        return _attribute(term, records)
    keyed = {Entity.TAG: records.tags, Entity.PARAM: records.params, Entity.METRIC: records.metrics}.get(entity)
    if keyed is None:
        raise FilterUnsupported(f"{records.vocabulary.noun} have no {entity.value}", field="filter")
    if entity is Entity.METRIC:
        return _metric(term, records, keyed)
    owner = records.tag_owner if entity is Entity.TAG and records.tag_owner else [keyed.run_id]
    same = [mine == its for mine, its in zip(owner, records.keys, strict=False)]
    test = true() if isinstance(term, IsNull) else text_test(keyed.value, term)
    found = exists(select(keyed.key).where(*same, keyed.key == term.field.key, test).correlate_except(table_of(keyed.key)))
    return lacking(found, term)


def _metric(term: Term, records: Records, keyed: KeyedColumns) -> Test:
    if isinstance(term, IsNull):
        test: Test = true()
    elif isinstance(term, Comparison) and isinstance(term.value, float) and math.isnan(term.value):
        test = keyed.value.is_(None) if term.operator is Operator.EQ else keyed.value.is_not(None)
    else:
        test = number_test(keyed.value, term)
        if is_negative(term):  # NaN differs from every number
            test = or_(test, keyed.value.is_(None))
    if records.metric_test is not None:
        test = and_(test, records.metric_test)
    same = (keyed.run_id == records.keys[0]) & (keyed.key == term.field.key)
    return lacking(exists(select(keyed.key).where(same, test).correlate_except(table_of(keyed.key))), term)


def _attribute(term: Term, records: Records) -> Test:
    column = records.attributes.get(term.field.key)
    if column is None:
        raise FilterUnsupported(f"{records.vocabulary.noun} cannot be searched by {term.field.key} here", field="filter")
    if isinstance(term, IsNull):
        return column.is_not(None) if term.negated else column.is_(None)
    holds = records.vocabulary.attributes[term.field.key]
    return and_(column.is_not(None), (text_test if holds is Holds.TEXT else number_test)(column, term))
