"""Random filters for hypothesis, and what they mean, told a second time in plain Python."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from jupyter_mlws.domain.search.attributes import ATTRIBUTES, WORDS, Holds
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
)
from tests.domain.search.rows import EXPERIMENTS, NOW, Sample

TEXT_OPERATORS = (Operator.EQ, Operator.NE, Operator.LIKE, Operator.ILIKE, Operator.NOT_LIKE, Operator.NOT_ILIKE)
NUMBER_OPERATORS = (Operator.EQ, Operator.NE, Operator.GT, Operator.GE, Operator.LT, Operator.LE)

any_text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
any_key = any_text.filter(bool)
any_float = st.floats(allow_nan=False)


def text_terms(fields: st.SearchStrategy[Field], values: st.SearchStrategy[str]) -> st.SearchStrategy[Filter]:
    """Terms about text."""
    return st.one_of(
        st.builds(Comparison, fields, st.sampled_from(TEXT_OPERATORS), values),
        st.builds(InList, fields, st.lists(values, min_size=1, max_size=4).map(tuple), st.booleans()),
    )


def number_terms(fields: st.SearchStrategy[Field], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    """Terms about numbers."""
    return st.one_of(
        st.builds(Comparison, fields, st.sampled_from(NUMBER_OPERATORS), values),
        st.builds(InList, fields, st.lists(values, min_size=1, max_size=4).map(tuple), st.booleans()),
        st.builds(Between, fields, values, values, st.booleans()),
    )


def fields_of(entity: Entity, keys: st.SearchStrategy[str]) -> st.SearchStrategy[Field]:
    """Fields of an entity."""
    aggregates = st.sampled_from(Aggregate) if entity is Entity.METRIC else st.just(Aggregate.LAST)
    return st.builds(Field, st.just(entity), keys, aggregates)


def trees(
    keys: st.SearchStrategy[str], texts: st.SearchStrategy[str], numbers: st.SearchStrategy[float]
) -> st.SearchStrategy[Filter]:
    """Whole filters over these keys and values."""

    def attributes(*holds: Holds) -> st.SearchStrategy[Field]:
        names = [name for name, kind in ATTRIBUTES.items() if kind in holds]
        return fields_of(Entity.ATTRIBUTE, st.sampled_from(names))

    keyed = st.one_of(fields_of(Entity.PARAM, keys), fields_of(Entity.TAG, keys))
    metric = fields_of(Entity.METRIC, keys)
    status = st.just(Field(Entity.ATTRIBUTE, "status"))
    words = st.sampled_from([*WORDS["status"], "running", "failed"])
    moments = st.one_of(st.integers(-(2**80), 2**80), st.sampled_from([NOW, NOW - 5_000, 60_000, 0.5]))
    terms = st.one_of(
        text_terms(st.one_of(keyed, attributes(Holds.TEXT)), texts),
        text_terms(fields_of(Entity.DATASET, st.sampled_from(["name", "digest", "context"])), texts),
        text_terms(status, words),
        number_terms(metric, numbers),
        number_terms(attributes(Holds.TIME, Holds.DURATION), moments),
        st.builds(IsNull, st.one_of(keyed, metric, attributes(*Holds)), st.booleans()),
    )

    def combine(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(st.builds(Not, inner), st.builds(And, several), st.builds(Or, several))

    return st.recursive(terms, combine, max_leaves=8)


def matches(sample: Sample, tree: Filter) -> bool:
    """Whether a run matches, with no SQL."""
    if isinstance(tree, And):
        return all(matches(sample, term) for term in tree.terms)
    if isinstance(tree, Or):
        return any(matches(sample, term) for term in tree.terms)
    if isinstance(tree, Not):
        return not matches(sample, tree.term)
    values = values_of(sample, tree.field)
    if isinstance(tree, IsNull):
        return bool(values) is tree.negated
    if tree.field.key in WORDS and tree.field.entity is Entity.ATTRIBUTE:
        return word_matches(values[0], tree)
    return any(holds(value, tree) for value in values)


def values_of(sample: Sample, field: Field) -> list[Any]:
    """What the run has of a field: nothing, one value, or one for each dataset."""
    if field.entity is Entity.DATASET:
        at = ("name", "digest", "context").index(field.key)
        return [dataset[at] for dataset in sample.datasets if dataset[at] is not None]
    if field.entity is Entity.METRIC:
        return metric_values(sample, field)
    if field.entity is Entity.ATTRIBUTE:
        return [value for value in [attribute(sample, field.key)] if value is not None]
    pairs = sample.params if field.entity is Entity.PARAM else sample.tags
    return [pairs[field.key]] if field.key in pairs else []


def attribute(sample: Sample, name: str) -> Any:
    """The value of an attribute."""
    if name == "duration":
        ended = NOW if sample.ended_at is None else sample.ended_at
        return None if sample.started_at is None else ended - sample.started_at
    if name == "artifact_uri":
        return f"mlflow-artifacts:/{sample.id}/artifacts"
    if name == "experiment_name":
        return next(row["name"] for row in EXPERIMENTS if row["id"] == sample.experiment_id)
    own = {"run_id": "id", "run_name": "name", "user_id": "user", "start_time": "started_at", "end_time": "ended_at"}
    return getattr(sample, own.get(name, name))


def metric_values(sample: Sample, field: Field) -> list[float]:
    """The number of a metric; NaN where all values are."""
    values = sample.metrics.get(field.key)
    if values is None:
        return []
    if field.aggregate is Aggregate.LAST:
        return [values[-1]]
    goal = next(row for row in EXPERIMENTS if row["id"] == sample.experiment_id)
    lower = "loss" in field.key if goal.get("goal_metric") != field.key else goal["goal_direction"] == "minimize"
    least = field.aggregate is Aggregate.MIN or (field.aggregate is Aggregate.BEST and lower)
    numbers = [value for value in values if not math.isnan(value)]
    return [(min if least else max)(numbers, default=math.nan)]


def word_matches(stored: str, tree: Filter) -> bool:
    """A comparison of the status (or another word), which is what any word that stands for it is."""
    words = WORDS["status"]
    if isinstance(tree, InList):
        chosen, negated = {spelled(str(value)) for value in tree.values}, tree.negated
    else:
        assert isinstance(tree, Comparison)
        negated = tree.operator in (Operator.NE, Operator.NOT_LIKE, Operator.NOT_ILIKE)
        if tree.operator in (Operator.EQ, Operator.NE):
            chosen = {spelled(str(tree.value))}
        else:
            chosen = {word for word in words if like(word, str(tree.value), "ILIKE" in tree.operator.value)}
    return any(stored in words[word] for word in chosen) is not negated


def spelled(word: str) -> str:
    return {"running": "Running", "failed": "Failed"}.get(word, word)


def holds(value: Any, tree: Filter) -> bool:
    """Whether a comparison holds for one value."""
    if isinstance(tree, InList):
        return (value in tree.values) is not tree.negated
    if isinstance(tree, Between):
        return (tree.low <= value <= tree.high) is not tree.negated
    assert isinstance(tree, Comparison)
    if "LIKE" in tree.operator.value:
        return like(value, str(tree.value), "ILIKE" in tree.operator.value) is not ("NOT" in tree.operator.value)
    compare: dict[Operator, Callable[[Any, Any], bool]] = {
        Operator.EQ: lambda a, b: a == b,
        Operator.NE: lambda a, b: a != b,
        Operator.GT: lambda a, b: a > b,
        Operator.GE: lambda a, b: a >= b,
        Operator.LT: lambda a, b: a < b,
        Operator.LE: lambda a, b: a <= b,
    }
    return compare[tree.operator](value, tree.value)


def like(text: str, pattern: str, ignore_case: bool) -> bool:
    """LIKE by a regular expression."""
    wild = {"%": ".*", "_": "."}
    parts = re.findall(r"\\[%_\\]|.", pattern, re.DOTALL)
    expression = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None
