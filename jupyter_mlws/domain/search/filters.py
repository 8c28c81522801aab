"""Compiles the tree of a filter to SQL. Values and keys are always bound; the statement's text depends on the tree's shape alone.

What a run does not have: a comparison with a param, tag, metric, dataset or attribute that the run lacks is false, `!=`, NOT LIKE
and NOT IN included (MLflow's rule); only IS NULL asks for the lack itself. NOT turns a whole term round, so that it finds exactly
the runs that its term does not: each term is true or false, never SQL's third value.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Double, and_, exists, false, literal, not_, or_, select, true, type_coerce

from jupyter_mlws.domain.search.attributes import ATTRIBUTES, WORDS, Holds, find_word
from jupyter_mlws.domain.search.columns import table_of
from jupyter_mlws.domain.search.errors import FilterUnsupported
from jupyter_mlws.domain.search.expressions import attribute_column, metric_number
from jupyter_mlws.domain.search.like import matches
from jupyter_mlws.domain.search.nodes import (
    Aggregate,
    And,
    Between,
    Comparison,
    Entity,
    Field,
    Filter,
    InList,
    IsNull,
    Not,
    Operator,
    Or,
    Value,
)
from jupyter_mlws.domain.search.textmatch import text_match
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.sql.elements import KeyedColumnElement

    from jupyter_mlws.domain.search.columns import SearchColumns

Term = Comparison | InList | Between | IsNull
Test = ColumnElement[bool]

_COMPARE: dict[Operator, Callable[[Any, Any], Test]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
}
_NEGATIVE = frozenset({Operator.NE, Operator.NOT_LIKE, Operator.NOT_ILIKE})
_IGNORES_CASE = frozenset({Operator.ILIKE, Operator.NOT_ILIKE})
_BIG = 2**63


def compile_filter(
    tree: Filter | None, columns: SearchColumns, *, now: int | None = None, experiment_ids: Sequence[int] = ()
) -> ColumnElement[bool]:
    """SQL that is true of exactly the runs that match; `now` (milliseconds) ends the duration of runs that still run.

    It stands in a WHERE over the runs of `columns`, and correlates its subqueries to them. `experiment_ids` may be given where the
    statement is confined to these experiments: conditions on metrics are then read from the index (experiment, key, value) first,
    which is best where few runs match, or where the order has no index; without them each run is looked at until enough are found.
    Raises FilterUnsupported.
    """
    return true() if tree is None else _Compiler(columns, now_ms() if now is None else now, experiment_ids).tree(tree)


class _Compiler:
    def __init__(self, columns: SearchColumns, now: int, experiment_ids: Sequence[int]) -> None:
        self._columns = columns
        self._now = now
        self._experiment_ids = experiment_ids

    def tree(self, tree: Filter) -> Test:
        if isinstance(tree, And):
            return and_(*map(self.tree, tree.terms))
        if isinstance(tree, Or):
            return or_(*map(self.tree, tree.terms))
        if isinstance(tree, Not):
            return not_(self.tree(tree.term).self_group())
        return self._term(tree)

    def _term(self, term: Term) -> Test:
        entity = term.field.entity
        if entity is Entity.METRIC:
            return self._metric(term)
        if entity is Entity.DATASET:
            return self._dataset(term)
        if entity is Entity.ATTRIBUTE:
            return self._attribute(term)
        keyed = self._columns.params if entity is Entity.PARAM else self._columns.tags
        test = true() if isinstance(term, IsNull) else text_test(keyed.value, term)
        found = self._exists(keyed.run_id, keyed.key == term.field.key, test)
        return lacking(found, term)

    def _exists(self, run_id: KeyedColumnElement[Any], *tests: Test) -> Test:
        """Whether the run has a row in the table of `run_id` for which all tests are true."""
        return exists(select(run_id).where(run_id == self._columns.runs.id, *tests).correlate_except(table_of(run_id)))

    def _metric(self, term: Term) -> Test:
        metrics = self._columns.metrics
        if isinstance(term, IsNull):
            return lacking(self._has_metric(term.field, true()), term)
        number = metric_number(metrics, self._columns.experiments, term.field)
        if isinstance(term, Comparison) and isinstance(term.value, float) and math.isnan(term.value):
            test: Test = number.is_(None) if term.operator is Operator.EQ else number.is_not(None)
        else:
            test = number_test(number, term)
            if is_negative(term):  # NaN differs from every number
                test = or_(test, number.is_(None))
        indexed = self._experiment_ids and term.field.aggregate is Aggregate.LAST and not is_negative(term)
        return self._among_metrics(term.field, test) if indexed else self._has_metric(term.field, test)

    def _has_metric(self, field: Field, test: Test) -> Test:
        """Whether the run has the metric, and the test is true of it. The experiment is named for the sake of the index."""
        metrics = self._columns.metrics
        same_experiment = metrics.experiment_id == self._columns.runs.experiment_id
        return self._exists(metrics.run_id, same_experiment, metrics.key == field.key, test)

    def _among_metrics(self, field: Field, test: Test) -> Test:
        """The same, from the metrics to the runs."""
        metrics = self._columns.metrics
        found = select(metrics.run_id).where(metrics.experiment_id.in_(self._experiment_ids), metrics.key == field.key, test)
        return self._columns.runs.id.in_(found.correlate_except(table_of(metrics.run_id)))

    def _dataset(self, term: Term) -> Test:
        datasets = self._columns.datasets
        if datasets is None:
            raise FilterUnsupported("Runs cannot be searched by their datasets here", field="filter")
        value = {"name": datasets.name, "digest": datasets.digest, "context": datasets.context}[term.field.key]
        return self._exists(datasets.run_id, text_test(value, term))

    def _attribute(self, term: Term) -> Test:
        name, runs = term.field.key, self._columns.runs
        if name == "experiment_name":
            return self._experiment_name(term)
        column = attribute_column(runs, name, self._now)
        if isinstance(term, IsNull):
            return column.is_not(None) if term.negated else column.is_(None)
        holds = ATTRIBUTES[name]
        if holds is Holds.WORD:
            test = _word_test(column, term)
        elif holds is Holds.TEXT:
            test = text_test(column, term)
        else:
            test = number_test(column, term)
        return test if isinstance(column, Column) and not column.nullable else and_(column.is_not(None), test)

    def _experiment_name(self, term: Term) -> Test:
        if isinstance(term, IsNull):
            return true() if term.negated else false()  # every run is in an experiment, and every experiment has a name
        experiments = self._columns.experiments
        found = select(experiments.id).where(text_test(experiments.name, term)).correlate_except(table_of(experiments.id))
        return self._columns.runs.experiment_id.in_(found)


def is_negative(term: Term) -> bool:
    """Whether the term is NOT, or !=."""
    return term.operator in _NEGATIVE if isinstance(term, Comparison) else term.negated


def lacking(found: Test, term: Term) -> Test:
    """IS NULL is the lack of a row, all else its presence."""
    return not_(found) if isinstance(term, IsNull) and not term.negated else found


def text_test(column: ColumnElement[Any], term: Term) -> Test:
    """A comparison of a text."""
    if isinstance(term, InList):
        return column.not_in(term.values) if term.negated else column.in_(term.values)
    if not isinstance(term, Comparison):
        raise TypeError(term)
    if term.operator in _COMPARE:
        return _COMPARE[term.operator](column, term.value)
    test = text_match(column, str(term.value), ignore_case=term.operator in _IGNORES_CASE)
    return not_(test) if is_negative(term) else test


def number_test(column: ColumnElement[Any], term: Term) -> Test:
    """A comparison of a number."""
    if isinstance(term, Comparison):
        return _COMPARE[term.operator](column, _number(term.value))
    if isinstance(term, Between):
        test = column.between(_number(term.low), _number(term.high))
        return not_(test) if term.negated else test
    if isinstance(term, InList):
        return not_(_in_numbers(column, term.values)) if term.negated else _in_numbers(column, term.values)
    raise TypeError(term)


def _number(value: Value) -> Any:
    """A bound number. What is no 64-bit integer is bound as a float, whatever the column's type is."""
    if isinstance(value, int) and -_BIG <= value < _BIG:
        return value
    return literal(float(value), Double())


def _in_numbers(column: ColumnElement[Any], values: tuple[Value, ...]) -> Test:
    whole = [value for value in values if isinstance(value, int) and -_BIG <= value < _BIG]
    rest = [float(value) for value in values if not (isinstance(value, int) and -_BIG <= value < _BIG)]
    tests = [column.in_(whole)] if whole else []
    return or_(*tests, type_coerce(column, Double()).in_(rest)) if rest else or_(*tests)


def _word_test(column: ColumnElement[Any], term: Term) -> Test:
    """A comparison with words, each of which stands for some of the few values that are stored."""
    attribute = term.field.key
    words = WORDS[attribute]
    stored: set[str] = set()
    if isinstance(term, InList):
        chosen = [find_word(attribute, str(value)) for value in term.values]
    elif isinstance(term, Comparison) and term.operator in (Operator.EQ, Operator.NE):
        chosen = [find_word(attribute, str(term.value))]
    elif isinstance(term, Comparison):
        ignore_case = term.operator in _IGNORES_CASE
        chosen = [word for word in words if matches(word, str(term.value), ignore_case=ignore_case)]
    else:
        raise TypeError(term)
    for word in chosen:
        stored |= words.get(word or "", frozenset())
    return column.not_in(sorted(stored)) if is_negative(term) else column.in_(sorted(stored))
