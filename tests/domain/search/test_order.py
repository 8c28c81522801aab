"""Orders: how they are written, and that NaN and what is missing come last in both directions."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from jupyter_mlws.domain.search.errors import FilterSyntax, FilterTooLarge, OrderSyntax
from jupyter_mlws.domain.search.nodes import Aggregate, Entity, Field, OrderTerm
from jupyter_mlws.domain.search.order import compile_order, parse_order_by
from tests.domain.search.rows import COLUMNS, NOW, ordered, runs

ACC = Field(Entity.METRIC, "acc")
LR = Field(Entity.PARAM, "lr")
START = Field(Entity.ATTRIBUTE, "start_time")


@pytest.mark.parametrize(
    ("written", "terms"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        (["", " "], ()),
        ("metrics.acc desc", (OrderTerm(ACC, descending=True),)),
        ("metrics.acc DESC, params.lr,Created asc", (OrderTerm(ACC, descending=True), OrderTerm(LR), OrderTerm(START))),
        (["metrics.acc DESC", "param.`lr` ASC"], (OrderTerm(ACC, descending=True), OrderTerm(LR))),
        ("metrics.acc.max", (OrderTerm(Field(Entity.METRIC, "acc", Aggregate.MAX)),)),
        ("metrics.acc, metrics.acc.max", (OrderTerm(ACC), OrderTerm(Field(Entity.METRIC, "acc", Aggregate.MAX)))),
        ('tags."a, b" desc', (OrderTerm(Field(Entity.TAG, "a, b"), descending=True),)),
        ("metrics.desc desc", (OrderTerm(Field(Entity.METRIC, "desc"), descending=True),)),
    ],
)
def test_parse(written: str | list[str] | None, terms: tuple[OrderTerm, ...]) -> None:
    assert parse_order_by(written) == terms


@pytest.mark.parametrize(
    ("written", "position", "says"),
    [
        ("metrics.acc foo", 12, "ASC, DESC"),
        ("metrics.acc desc desc", 17, "or the end"),
        ("metrics.acc,", 12, "Expected a field"),
        (",metrics.acc", 0, "Expected a field"),
        ("metrics.acc DESC NULLS LAST", 17, "or the end"),
        ("metrics.acc NULLS FIRST", 12, "always come last"),
        ("metrics.acc, metrics.`acc` desc", 13, "twice"),
        ("strat_time", 0, "did you mean 'start_time'?"),
        ("datasets.name", 0, "many datasets"),
        ("'acc'", 0, "Expected a field"),
    ],
)
def test_refusals(written: str, position: int, says: str) -> None:
    with pytest.raises(OrderSyntax) as caught:
        parse_order_by(written)
    assert (caught.value.position, caught.value.code, caught.value.field) == (position, "invalid_order_by", "order_by")
    assert says in caught.value.message


def test_twice_in_two_texts() -> None:
    with pytest.raises(OrderSyntax, match="twice"):
        parse_order_by(["metrics.acc", "metrics.acc DESC"])


def test_too_many() -> None:
    with pytest.raises(FilterTooLarge):
        parse_order_by([f"metrics.m{n}" for n in range(17)])


@settings(max_examples=300, deadline=None)
@given(text=st.text("metrics.acc`\"' ,desc()\n\x00%-1", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FilterSyntax):
        parse_order_by(text)


@pytest.mark.parametrize(
    ("order_by", "found"),
    [
        ("", "ciabefghjkld"),  # the newest start, then the id; what never started is last
        ("metrics.acc", "kgbalfcieh" + "jd"),
        ("metrics.acc desc", "falbgkcieh" + "jd"),
        ("metrics.loss.min desc", "fag" + "cibehjkld"),
        ("metrics.acc.best DESC", "fbalgkciehjd"),
        ("metrics.`loss.min`", "gciabefhjkld"),
        ("params.lr desc", "abhciefgjkld"),
        ("tags.mlflow.source.name", "eciabfghjkld"),
        ("start_time", "abefghjklicd"),
        ("start_time asc, run_id desc", "lkjhgfebaicd"),
        ("end_time desc", "iabfghjklced"),
        ("target, run_id desc", "lfkjihgedcba"),
        ("run_id desc", "lkjihgfedcba"),
        ("experiment_id desc, run_id", "ghabcdefijkl"),
        ("experiment_name, run_id", "abcdefijklgh"),
        ("duration, run_id", "cabfghjklied"),
        ("kind, name, start_time desc", "gabcie"),
        (["status", "user_id desc", "metrics.acc desc"], "lfagihj"),
    ],
)
def test_sorts(connection: Connection, order_by: str | list[str], found: str) -> None:
    assert ordered(connection, order_by)[: len(found)] == found


def test_newest_may_be_another_column(connection: Connection) -> None:
    order = compile_order((), COLUMNS, now=NOW, newest=runs.c.created_at)
    assert [key.rank for key in order.keys] == [None, None]
    assert "".join(connection.execute(order.apply(select(runs.c.id))).scalars()) == "dabcefghijkl"
