"""Metrics at their edges, over HTTP: values that JSON cannot write, steps at the ends of 64 bits, and as many keys as a batch takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.api import Api
from tests.security.errors import check_refusal
from tests.security.world import World

LAST_MS = 253_402_300_799_999
"""The end of the year 9999."""


@pytest.fixture
def run(person: Api, world: World) -> str:
    return str(person.ok("POST", f"/workspaces/{world.a.name}/runs", {})["id"])


def log(person: Api, run: str, batch: str, metrics: list[dict[str, Any]]) -> Any:
    return person.ok("POST", f"/runs/{run}/log", {"batch_id": batch, "metrics": metrics})["stored"]


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", 1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 0, -1, 0.1]
)
def test_values_come_back_as_they_were(person: Api, run: str, value: Any):
    points = [{"key": "v", "value": value, "step": 1, "time": 1}, {"key": "v", "value": 1.5, "step": 0, "time": 0}]
    assert log(person, run, "values-1", points) == 2
    assert log(person, run, "values-2", points) == 0
    summary = person.ok("GET", f"/runs/{run}")["metrics"]["v"]
    assert (summary["last"], summary["count"]) == (value, 2)
    history = person.ok("GET", f"/runs/{run}/metrics/history", query={"key": "v"})
    assert history["values"] == [1.5, value]
    series = person.ok("GET", f"/runs/{run}/metrics/series", query={"key": ["v"]})["series"][0]
    finite = not isinstance(value, str)
    assert (series["values"], series["not_finite"]) == ([1.5, value if finite else None], 0 if finite else 1)
    if value == "NaN":
        assert (summary["min"], summary["max"]) == (1.5, 1.5)
    last = person.ask("GET", f"/runs/{run}/metrics/csv").text.splitlines()[-1].split(",")[-1]
    assert (last if isinstance(value, str) else float(last)) == value


@pytest.mark.parametrize("value", ["nan", "inf", "1.5", "", None, True, [1], {"a": 1}])
def test_values_that_are_none_are_refused(person: Api, run: str, value: Any):
    point = {"key": "v", "value": value, "time": 1}
    check_refusal(person.ask("POST", f"/runs/{run}/log", {"batch_id": "no-values", "metrics": [point]}))


def test_numbers_beyond_a_float_are_refused(person: Api, run: str):
    for written in (b"1e309", b"-1e309", b"NaN", b"Infinity", b"1" * 400):
        body = b'{"batch_id": "too-large", "metrics": [{"key": "v", "time": 1, "value": ' + written + b"}]}"
        answer = person.ask("POST", f"/runs/{run}/log", content=body)
        assert answer.status == 400, written
        check_refusal(answer)


def test_steps_and_times_to_the_ends_of_their_range(person: Api, run: str):
    steps = [-(2**63), -1, 0, 1, 2**53 + 1, 2**63 - 1]
    points = [{"key": "v", "value": 1, "step": step, "time": time} for step in steps for time in (0, LAST_MS)]
    assert log(person, run, "steps-batch", points) == len(points)
    pages: list[int] = []
    cursor: str | None = None
    while True:
        query = {"key": "v", "limit": 5, **({"cursor": cursor} if cursor else {})}
        page = person.ok("GET", f"/runs/{run}/metrics/history", query=query)
        pages += page["steps"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == [step for step in steps for _ in range(2)]
    series = person.ok("GET", f"/runs/{run}/metrics/series", query={"key": ["v"], "points": 4})["series"][0]
    assert (series["steps"][0], series["steps"][-1]) == (-(2**63), 2**63 - 1)
    assert person.ok("GET", f"/runs/{run}/metrics")["metrics"][0]["step"] == 2**63 - 1
    for name, value in [
        ("step", 2**63),
        ("step", -(2**63) - 1),
        ("step", 1.5),
        ("time", -1),
        ("time", LAST_MS + 1),
        ("time", 2**63),
    ]:
        point = {"key": "v", "value": 1, "time": 1, name: value}
        error = check_refusal(person.ask("POST", f"/runs/{run}/log", {"batch_id": "no-steps", "metrics": [point]}))
        assert error["field"] == f"metrics[0].{name}" or error["field"].endswith(f".{name}")


def test_ten_thousand_keys_and_not_one_more(person: Api, run: str):
    points = [{"key": f"key-{n:05}", "value": n, "time": 1} for n in range(10_001)]
    refused = person.ask("POST", f"/runs/{run}/log", {"batch_id": "too-many", "metrics": points})
    assert refused.status == 400
    assert check_refusal(refused)["field"] == "metrics"
    assert log(person, run, "just-enough", points[:10_000]) == 10_000
    assert len(person.ok("GET", f"/runs/{run}/metrics")["metrics"]) == 10_000
    assert len(person.ok("GET", f"/runs/{run}")["metrics"]) == 10_000
    asked = [f"key-{n:05}" for n in range(101)]
    assert len(person.ok("GET", f"/runs/{run}/metrics/series", query={"key": asked[:100]})["series"]) == 100
    assert check_refusal(person.ask("GET", f"/runs/{run}/metrics/series", query={"key": asked}))["field"] == "key"


@pytest.mark.parametrize("letter", ["k", "é", "🦊"])
def test_keys_of_250_characters_and_not_one_more(person: Api, run: str, letter: str):
    assert log(person, run, "long-keys", [{"key": letter * 250, "value": 1, "time": 1}]) == 1
    assert person.ok("GET", f"/runs/{run}/metrics/history", query={"key": letter * 250})["values"] == [1.0]
    check_refusal(
        person.ask(
            "POST", f"/runs/{run}/log", {"batch_id": "too-long-1", "metrics": [{"key": letter * 251, "value": 1, "time": 1}]}
        )
    )
    assert check_refusal(person.ask("GET", f"/runs/{run}/metrics/history", query={"key": letter * 251}))["field"] == "key"


def test_a_batch_is_all_or_nothing(person: Api, run: str):
    good = {"key": "v", "value": 1, "time": 1}
    person.ok("POST", f"/runs/{run}/log", {"batch_id": "first-one", "params": {"a": "1"}})
    refused = person.ask(
        "POST", f"/runs/{run}/log", {"batch_id": "second-one", "metrics": [good], "params": {"a": "2"}, "tags": {"t": "1"}}
    )
    assert check_refusal(refused)["code"] == "param_conflict"
    after = person.ok("GET", f"/runs/{run}")
    assert (after["metrics"], after["tags"]) == ({}, {})
    repeated = {"batch_id": "second-one", "metrics": [good]}
    assert person.ok("POST", f"/runs/{run}/log", repeated)["stored"] == 1, "a batch that was refused counts as never sent"
