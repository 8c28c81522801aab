"""Numbers, times and durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.domain.search.direction import lower_is_better
from jupyter_mlws.domain.search.literals import read_duration, read_milliseconds, read_number, read_time

JANUARY_31 = 1_769_817_600_000
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-01-31", JANUARY_31),
        ("2026-01-31T10:00", JANUARY_31 + 10 * HOUR),
        ("2026-01-31 10:00:05", JANUARY_31 + 10 * HOUR + 5_000),
        ("2026-01-31T10:00:05.25Z", JANUARY_31 + 10 * HOUR + 5_250),
        ("2026-01-31t10:00+02:00", JANUARY_31 + 8 * HOUR),
        ("2026-01-31T10:00 -0130", JANUARY_31 + 11 * HOUR + HOUR // 2),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01", -62_135_596_800_000),
        ("2026-02-30", None),
        ("2026-01-31T25:00", None),
        ("2026-01-31T10:00+24:00", None),
        ("2026-1-31", None),
        ("31.01.2026", None),
        ("2026-01-31T10", None),
        ("٢٠٢٦-01-31", None),
        ("yesterday", None),
        ("", None),
        ("2026-01-31" + " " * 100, None),
    ],
)
def test_times(written: str, value: int | None) -> None:
    assert read_time(written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h 30m", 5_400_000),
        ("1.5h", 5_400_000),
        ("250ms", 250),
        ("2 d", 172_800_000),
        ("0.0005s", 0.5),
        ("5", None),
        ("", None),
        ("s", None),
        ("5 weeks", None),
        ("-5s", None),
        ("1h and 2m", None),
        ("9" * 100 + "s", None),
    ],
)
def test_durations(written: str, value: float | None) -> None:
    assert read_duration(written) == value


def test_whole_milliseconds_stay_whole() -> None:
    assert read_milliseconds("9007199254740993") == 9007199254740993
    assert isinstance(read_milliseconds("1e3"), int)
    assert read_milliseconds("0.5") == 0.5
    assert read_milliseconds("inf") is None
    assert read_milliseconds("nan") is None


@given(st.floats(allow_nan=False))
def test_numbers_keep_their_value(value: float) -> None:
    assert read_number(repr(value)) == value


@pytest.mark.parametrize(
    "key", ["loss", "val_loss", "train/logloss", "RMSE", "test-error", "cross_entropy", "fit_time", "eval.mae"]
)
def test_lower_is_better(key: str) -> None:
    assert lower_is_better(key)


@pytest.mark.parametrize("key", ["accuracy", "f1", "auc", "r2", "closeness", "glossary", "timeline"])
def test_greater_is_better(key: str) -> None:
    assert not lower_is_better(key)
