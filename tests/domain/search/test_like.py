"""Patterns, as Python, as SQL's LIKE and as SQLite's GLOB."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, literal, select
from sqlalchemy.dialects import postgresql

from jupyter_mlws.domain.search.like import MAX_PATTERN, glob_sql, like_sql, matches
from jupyter_mlws.domain.search.textmatch import text_match
from tests.domain.search.trees import like

ALPHABET = "aAbB%_\\*?[]^-!éÉß "


@pytest.mark.parametrize(
    ("pattern", "sql", "glob"),
    [
        ("abc", "abc", "abc"),
        ("a%b_", "a%b_", "a*b?"),
        ("%%_%a", "_%a", "?*a"),
        ("100\\%", "100\\%", "100%"),
        ("a\\_b", "a\\_b", "a_b"),
        ("C:\\dir\\\\%", "C:\\\\dir\\\\%", "C:\\dir\\*"),
        ("a*b?[c]", "a*b?[c]", "a[*]b[?][[]c]"),
        ("x\\", "x\\\\", "x\\"),
    ],
)
def test_translations(pattern: str, sql: str, glob: str) -> None:
    assert like_sql(pattern) == sql
    assert glob_sql(pattern, ignore_case=False) == glob


def test_ignoring_case_is_a_set_of_letters() -> None:
    assert glob_sql("aé1ß*", ignore_case=True) == "[Aa][Éé]1ß[*]"


@settings(max_examples=300, deadline=None)
@given(text=st.text(ALPHABET, max_size=10), pattern=st.text(ALPHABET, max_size=8), ignore_case=st.booleans())
def test_python_and_sqlite_agree(text: str, pattern: str, *, ignore_case: bool) -> None:
    with create_engine("sqlite://").connect() as connection:
        found = connection.execute(select(text_match(literal(text), pattern, ignore_case=ignore_case))).scalar_one()
    expected = like(text, pattern, ignore_case)
    assert bool(found) is expected
    if "ß" not in text + pattern:  # two letters when folded
        assert matches(text, pattern, ignore_case=ignore_case) is expected


def test_postgresql_is_told_the_escape() -> None:
    for ignore_case, word in ((False, "LIKE"), (True, "ILIKE")):
        sql = str(text_match(literal("x"), "a%", ignore_case=ignore_case).compile(dialect=postgresql.dialect()))
        assert f" {word} " in sql
        assert "ESCAPE '\\'" in sql


@pytest.mark.parametrize(
    "pattern", ["%" * MAX_PATTERN, "%a" * (MAX_PATTERN // 2), "_%" * (MAX_PATTERN // 2), "%" + "a" * 998 + "b"]
)
def test_no_pattern_explodes(pattern: str) -> None:
    text = "a" * 6_000
    start = time.perf_counter()
    matches(text[:100], pattern, ignore_case=True)
    with create_engine("sqlite://").connect() as connection:
        for ignore_case in (False, True):
            connection.execute(select(text_match(literal(text), pattern, ignore_case=ignore_case)))
    assert time.perf_counter() - start < 1
