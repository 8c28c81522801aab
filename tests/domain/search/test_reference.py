"""The reference page for people says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_mlws.domain.search.attributes import ALIASES, ATTRIBUTES, ENTITIES, MLFLOW_STATUS, WORDS, find_word
from jupyter_mlws.domain.search.errors import FilterSyntax
from jupyter_mlws.domain.search.grammar import MAX_DEPTH, MAX_TERMS, MAX_VALUES, parse_filter
from jupyter_mlws.domain.search.order import MAX_ORDER_TERMS, parse_order_by
from jupyter_mlws.domain.search.tokens import MAX_LENGTH

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "filters.md").read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    """The lines of all blocks in a language."""
    return [line for block in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("text", examples("sql"))
def test_filters_are_read(text: str) -> None:
    assert parse_filter(text) is not None


@pytest.mark.parametrize("text", examples("text"))
def test_orders_are_read(text: str) -> None:
    assert parse_order_by(text)


def test_error_is_shown_as_it_is() -> None:
    with pytest.raises(FilterSyntax) as caught:
        parse_filter("metrcs.accuracy > 0.9")
    assert caught.value.message.splitlines() == examples("console")


@pytest.mark.parametrize("name", [*ATTRIBUTES, *ALIASES, *ENTITIES, *WORDS["kind"], *WORDS["lifecycle"]])
def test_name_is_on_the_page(name: str) -> None:
    assert re.search(rf"`{name}[`.]", PAGE)


@pytest.mark.parametrize("word", MLFLOW_STATUS)
def test_status_is_on_the_page(word: str) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{word}`"))
    assert set(re.findall(r"`(\w+)`", line)) == {word, *MLFLOW_STATUS[word]}


def test_words_in_other_case() -> None:
    assert find_word("status", "RUNNING") == "RUNNING"
    assert find_word("status", "running") == find_word("status", "RuNnInG") == "Running"
    assert find_word("status", "finished") == "FINISHED"
    assert find_word("kind", "NOTEBOOK") == "notebook"


@pytest.mark.parametrize("limit", [MAX_LENGTH, MAX_TERMS, MAX_DEPTH, MAX_VALUES, MAX_ORDER_TERMS])
def test_limit_is_on_the_page(limit: int) -> None:
    assert f" {limit:,} " in PAGE
