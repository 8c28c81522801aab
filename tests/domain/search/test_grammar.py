"""What the language of filters takes, what it refuses and where, and that reading it is quick whatever the text."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlws.domain.search.attributes import ATTRIBUTES, LOGGED_MODELS
from jupyter_mlws.domain.search.errors import FilterSyntax, FilterTooLarge
from jupyter_mlws.domain.search.grammar import MAX_DEPTH, MAX_TERMS, MAX_VALUES, parse_filter
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
    entities_of,
)
from jupyter_mlws.domain.search.render import render_filter
from jupyter_mlws.domain.search.tokens import MAX_LENGTH
from jupyter_mlws.kit.errors import BadInput
from tests.domain.search import trees

A = Comparison(Field(Entity.METRIC, "a"), Operator.GT, 1.0)
B = Comparison(Field(Entity.PARAM, "b"), Operator.EQ, "x")
C = IsNull(Field(Entity.TAG, "c"))


def field_of(text: str) -> Field:
    tree = parse_filter(text)
    assert isinstance(tree, Comparison | InList | Between | IsNull)
    return tree.field


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (None, None),
        ("", None),
        (" \n\t", None),
        ("metrics.a > 1", A),
        ("metrics.a>1 and params.b='x'", And((A, B))),
        ("metrics.a > 1 OR params.b = 'x' AND tags.c IS NULL", Or((A, And((B, C))))),
        ("(metrics.a > 1 oR params.b = 'x') AND tags.c is null", And((Or((A, B)), C))),
        ("NOT metrics.a > 1 AND params.b = 'x'", And((Not(A), B))),
        ("NOT (metrics.a > 1 AND params.b = 'x')", Not(And((A, B)))),
        ("not not ((metrics.a > 1))", Not(Not(A))),
        ("metrics.a BETWEEN 1 AND 2 AND params.b = 'x'", And((Between(A.field, 1.0, 2.0), B))),
        ("params.b NOT IN ('x', \"y\")", InList(B.field, ("x", "y"), negated=True)),
        ("tags.c IS NOT  NULL", IsNull(C.field, negated=True)),
        ("tags.c not like '%'", Comparison(C.field, Operator.NOT_LIKE, "%")),
    ],
)
def test_trees(text: str | None, tree: Filter | None) -> None:
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    "written", ["metric.a", "metrics.a", "METRICS.a", "`metrics`.a", "metrics.`a`", 'metrics."a"', "metrics.a.last"]
)
def test_spellings_of_a_metric(written: str) -> None:
    assert field_of(f"{written} > 1") == A.field


@pytest.mark.parametrize("written", ["param.b", "params.b", "parameter.b", "parameters.b"])
def test_spellings_of_a_param(written: str) -> None:
    assert field_of(f"{written} = 'x'") == B.field


@pytest.mark.parametrize(
    "written",
    [
        "start_time",
        "attribute.start_time",
        "attributes.`start_time`",
        "attr.created",
        "run.Created",
        '"start_time"',
        "`created`",
        "STARTED_AT",
    ],
)
def test_spellings_of_an_attribute(written: str) -> None:
    assert field_of(f"{written} > 1") == Field(Entity.ATTRIBUTE, "start_time")


@pytest.mark.parametrize(
    ("written", "key", "aggregate"),
    [
        ("mlflow.source.name", "mlflow.source.name", Aggregate.LAST),
        ("val/f1-macro:x@3", "val/f1-macro:x@3", Aggregate.LAST),
        ("1st", "1st", Aggregate.LAST),
        ("précision", "précision", Aggregate.LAST),
        ("loss.min", "loss", Aggregate.MIN),
        ("a.b.best", "a.b", Aggregate.BEST),
        ("a.min.max", "a.min", Aggregate.MAX),
        ("max", "max", Aggregate.LAST),
        ("a.Max", "a.Max", Aggregate.LAST),
        ("`loss.min`", "loss.min", Aggregate.LAST),
        ("`loss.min`.max", "loss.min", Aggregate.MAX),
        ('"say ""hi"" `x`"', 'say "hi" `x`', Aggregate.LAST),
        ("`a ``b`", "a `b", Aggregate.LAST),
        ("and", "and", Aggregate.LAST),
    ],
)
def test_keys(written: str, key: str, aggregate: Aggregate) -> None:
    assert field_of(f"metrics.{written} > 1") == Field(Entity.METRIC, key, aggregate)


def test_only_metrics_have_aggregates() -> None:
    assert field_of("params.a.max = 'x'").key == "a.max"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1.0),
        ("-1.5", -1.5),
        ("+2", 2.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e-5", 1e-5),
        ("-2E+3", -2000.0),
        ("inf", math.inf),
        ("-INF", -math.inf),
        ("+Infinity", math.inf),
    ],
)
def test_numbers(written: str, value: float) -> None:
    tree = parse_filter(f"metrics.a >= {written}")
    assert isinstance(tree, Comparison)
    assert tree.value == value


def test_nan() -> None:
    tree = parse_filter("metrics.a = NaN")
    assert isinstance(tree, Comparison)
    assert isinstance(tree.value, float)
    assert math.isnan(tree.value)
    assert render_filter(tree) == "metrics.a = nan"


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("metrics.a > 'high'", 12, "is a number: write one, without quotes"),
        ("metrics.a LIKE '1%'", 10, "is a number: compare it by"),
        ("metrics.a > NaN", 12, "greater or less than NaN"),
        ("metrics.a BETWEEN NaN AND 1", 18, "NaN is no end"),
        ("metrics.a IN (1, NaN)", 10, "cannot have NaN"),
        ("metrics.a > 1e999", 12, "too large"),
        (f"metrics.a > {'9' * 401}", 12, "too large"),
        ("metrics.a > 12abc", 14, "middle of a word"),
        ("metrics.a > 0x10", 13, "middle of a word"),
        ("metrics.a > - 1", 12, "starts no number"),
        ("metrics.a > high", 12, "number or a string in quotes"),
        ("metrics.a == 1", 10, "write = for equality"),
        ("metrics.a <> 1", 10, "write != for inequality"),
        ("metrics.a ! 1", 10, "has no meaning"),
        ("metrics.a = 1 && metrics.b = 1", 14, "write AND"),
        ("metrics.a = 1;", 13, "without ;"),
        ("metrics.a = 1 -- all", 14, "comments"),
        ("metrics.a = 1 metrics.b = 2", 14, "AND, OR or the end"),
        ("metrics.a = 1 AND", 17, "the text ends"),
        ("AND metrics.a = 1", 0, "Expected a field"),
        ("metrics.a", 9, "LIKE, ILIKE, IN"),
        ("metrics.a =", 11, "Expected a value"),
        ("metrics.a = AND", 12, "Expected a value"),
        ("metrics. = 1", 8, "Expected a key"),
        ("metrics.a. = 1", 10, "Expected a key"),
        ("metrics.a.`b` = 1", 10, "whole key in quotes"),
        ("metrics.'a' = 1", 8, "single quotes are for values"),
        ("metrics.`` = 1", 8, "cannot be empty"),
        ("metrics.`a`.b = 1", 9, ".last, .min, .max or .best"),
        ("tags.`a`.b = 'x'", 6, "only metrics take"),
        ("metrcs.a = 1", 0, "did you mean 'metrics'?"),
        ("strat_time > 1", 0, "did you mean 'start_time'?"),
        ("attributes.statsu = 'x'", 11, "did you mean 'status'?"),
        ("colour = 'x'", 0, "there are run_id, run_name"),
        ("params.a = 0.1", 11, "put the value in quotes, '0.1'"),
        ("params.a > '1'", 9, "is text"),
        ("params.a BETWEEN '1' AND '2'", 9, "BETWEEN is for"),
        ("params.a LIKE 5", 14, "pattern in quotes"),
        ("params.a = 'abc", 11, "never closed"),
        ("params.a = `abc`", 11, "a string in quotes"),
        ("params.a IN ('x' 'y')", 17, "',' or ')'"),
        ("params.a IN ()", 13, "Expected a value"),
        ("params.a IN 'x'", 12, "a list of values"),
        ("params.a IS 'x'", 12, "NULL or NOT NULL"),
        ("params.a IS NOT 5", 16, "Expected NULL"),
        ("params.a NOT = 'x'", 13, "after NOT"),
        ("(params.a = 'x'", 15, "AND, OR or ')'"),
        ("params.a = 'x')", 14, "the end of the filter"),
        ("'x' = params.a", 0, "Expected a field"),
        ("params.a = ‘x’", 11, "straight quotes"),  # noqa: RUF001  people paste them
        ("status = 'FINISHD'", 9, "did you mean 'FINISHED'?"),
        ("status > 'RUNNING'", 7, "is text"),
        ("start_time > '2026-13-01'", 13, "is a time"),
        ("start_time > inf", 13, "is a time"),
        ("duration > '5 weeks'", 11, "is milliseconds"),
        ("experiment_id = 'abc'", 16, "whole number"),
        ("experiment_id > 3", 14, "compared by ="),
        (f"experiment_id = {2**63}", 16, "whole number"),
        ("datasets.size = 'x'", 9, "a name, a digest and a context"),
        ("datasets.name IS NULL", 14, "IS NULL is for"),
        ("params.a = 'x\x00'", 13, "NUL"),
        ("params.a = '\ud800'", 12, "surrogate"),
    ],
)
def test_refusals_say_where(text: str, position: int, says: str) -> None:
    with pytest.raises(FilterSyntax) as caught:
        parse_filter(text)
    assert caught.value.position == position
    assert says in caught.value.message
    assert f"(character {position + 1})" in caught.value.message
    assert caught.value.body()["error"] == {"code": "invalid_filter", "message": caught.value.message, "field": "filter"}


def test_caret_stands_under_the_place() -> None:
    with pytest.raises(FilterSyntax) as caught:
        parse_filter("params.a = 'x'\nAND  metrics.acc\t> 'high' AND params.b = 'a rather long value to be cut off here'")
    line, caret = caught.value.message.splitlines()[1:]
    assert line[caret.index("^") :].startswith("'high'")
    assert "…" in line


@pytest.mark.parametrize(
    "text",
    [
        "(" * (MAX_DEPTH + 1) + "metrics.a > 1" + ")" * (MAX_DEPTH + 1),
        "NOT " * (MAX_DEPTH + 1) + "metrics.a > 1",
        "(" * 50_000,
        "NOT(" * 20_000,
        " OR ".join(["metrics.a > 1"] * (MAX_TERMS + 1)),
        f"run_id IN ({','.join(['0'] * 10)}".replace("0", "'x'") + ",'x'" * MAX_VALUES + ")",
        "params.a LIKE '" + "x" * 1001 + "'",
        " " * (MAX_LENGTH + 1),
    ],
)
def test_limits(text: str) -> None:
    with pytest.raises(FilterTooLarge) as caught:
        parse_filter(text)
    assert isinstance(caught.value, BadInput)
    assert caught.value.code == "filter_too_large"
    assert len(caught.value.message) < 400


def test_just_within_the_limits() -> None:
    assert parse_filter("(" * MAX_DEPTH + "metrics.a > 1" + ")" * MAX_DEPTH) == A
    assert parse_filter(" OR ".join(["metrics.a > 1"] * MAX_TERMS)) is not None
    assert parse_filter("run_id IN (" + ",".join(["'x'"] * MAX_VALUES) + ")") is not None
    assert parse_filter("params.b = '" + "x" * (MAX_LENGTH - 13) + "'") is not None


def long(piece: str) -> str:
    return piece * (MAX_LENGTH // len(piece))


@pytest.mark.parametrize(
    "text",
    [
        long("(").ljust(10),
        long("a"),
        long("a."),
        long("`"),
        long("'"),
        long('"'),
        long("9"),
        long("metrics."),
        "metrics." + "a." * 49_000,
        "metrics.`" + "``" * 49_000,
        "params.a = '" + "''" * 49_000,
        "params.a = '" + "''" * 49_000 + "'",
        "metrics.a > " + "1" * 99_000,
        "metrics.a > 1e" + "1" * 99_000,
        "metrics.a > " + long("-")[:99_000],
        " " * 99_000 + "x",
        "run_id IN (" + ",".join(["'0123456789abcde'"] * MAX_VALUES) + ")",
        " AND ".join(["(metrics.a > 1 OR params.b LIKE '%x%')"] * (MAX_TERMS // 2)).replace(" AND ", " " * 900 + "AND "),
        "attributes." + long("start_time")[:90_000] + " > 1",
        "status = '" + long("RUNNING")[:90_000] + "'",
    ],
)  # fmt: skip
def test_a_hundred_kilobytes_are_read_in_a_tenth_of_a_second(text: str) -> None:
    assert len(text) <= MAX_LENGTH
    assert least_time(lambda: try_parse(text)) < 0.1


def test_time_is_linear() -> None:
    """Eight times the text takes no more than eight times the time, with a margin for a noisy machine."""
    short, whole = ("params.a = '" + "''" * n + "'" for n in (6_000, 48_000))
    assert least_time(lambda: try_parse(whole)) < 8 * 4 * max(least_time(lambda: try_parse(short)), 0.0001)


def try_parse(text: str) -> None:
    with contextlib.suppress(FilterSyntax):
        parse_filter(text)


def least_time(work: Callable[[], None]) -> float:
    times = []
    for _ in range(5):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


@settings(deadline=None)
@given(tree=trees.trees(trees.any_key, trees.any_text, trees.any_float))
def test_a_tree_written_is_the_tree_read(tree: Filter) -> None:
    text = render_filter(tree)
    assert parse_filter(text) == tree
    assert render_filter(tree) == text


PIECES = [
    *("metrics.", "params.", "tags.`", "a", "`", '"', "'", "''", ".", " ", "\n", "(", ")", ",", "\\", "%", "--", ";", "--"),
    *("AND", "or", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "=", "!=", "!", "<", ">", "1", "-", "e5", "inf", "nan"),
    *("\x00", "\ud800", "é", "٣", "ß", "²", "\u202e"),
    *ATTRIBUTES,
]
heaps = st.lists(st.sampled_from(PIECES), max_size=30)


@settings(max_examples=500, deadline=None)
@given(text=st.one_of(heaps.map("".join), heaps.map(" ".join)))
def test_any_heap_of_pieces_is_read_or_refused(text: str) -> None:
    try_parse(text)


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    try_parse(noise.decode("utf-8", errors="surrogateescape"))
    try_parse(noise.decode("latin-1"))
    try_parse("params.a = " + repr(noise))


def test_texts_of_logged_models_may_stand_without_quotes():
    tree = parse_filter("params.lr = 1 AND name=net AND name IN (a, 'b c', 2)", LOGGED_MODELS)
    name = Field(Entity.ATTRIBUTE, "name")
    assert tree == And(
        (
            Comparison(Field(Entity.PARAM, "lr"), Operator.EQ, "1"),
            Comparison(name, Operator.EQ, "net"),
            InList(name, ("a", "b c", "2")),
        )
    )
    for text in ("name = AND", "name = a b", "name IN (AND)"):
        with pytest.raises(FilterSyntax):
            parse_filter(text, LOGGED_MODELS)
    with pytest.raises(FilterSyntax):
        parse_filter("params.lr = net")


def test_what_a_filter_speaks_of():
    assert entities_of(None) == set()
    assert entities_of(A) == {Entity.METRIC}
    assert entities_of(Or((And((A, B)), Not(C)))) == {Entity.METRIC, Entity.PARAM, Entity.TAG}
