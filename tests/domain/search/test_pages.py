"""Searches over whole databases: the same runs in the same order from both, page by page, and cursors that were made for nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import LogBatch, RunCreate, RunEnd
from jupyter_mlws.domain.search import service, store
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Actor, ActorKind
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.pagination import encode_cursor
from tests.databases import ENGINES, fresh_database

ADA = Actor(name="ada", kind=ActorKind.USER)
START = 1_800_000_000_000
NAMES = ["b", "B", "a", "Ä", "ä", "_a", "a b", "ab", "Übung 1", "übung 10", "übung 2", "É", "e", "100%", "1_0"]
BY_BYTES = sorted(NAMES)
METRICS: list[Any] = [0.5, "NaN", None, "Infinity", "-Infinity", 0.5, -0.25, None, 1e300, 5e-324, 0.1, "NaN", 2, -7, 0.0]
ORDERS = ["", "run_name", "run_name desc", "params.word", "params.word desc", "tags.word, run_name", "metrics.acc desc, run_name"]
ORDERS += ["start_time", "duration desc", "status, run_name", "experiment_name, run_name", "target", "end_time, run_id"]


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory.mktemp("search")) as found:
        found.write_sync(fill)
        yield found


def fill(session: Session) -> None:
    workspaces.ensure_default(session, "ada")
    for n, (name, value) in enumerate(zip(NAMES, METRICS, strict=True)):
        body = RunCreate(
            id=f"{n:032x}",
            name=name,
            experiment=["École", "ecole"][n % 2],
            params={"word": name} if n % 4 else {},
            tags={"word": name.swapcase()},
            started_at=START + 1000 * (n * 7 % 15),
        )
        run = runs.create_run(session, ADA, "default", body)
        if value is not None:
            point = MetricPoint(key="acc", step=0, time=0, value=value)
            runs.log_batch(session, ADA, run.id, LogBatch(batch_id=f"batch-{n:04d}", metrics=[point]))
        if n % 5:
            status = ["Completed", "Failed", "Canceled"][n % 3]
            runs.end_run(session, ADA, run.id, RunEnd(status=status, ended_at=START + 60_000 * n))  # type: ignore[arg-type]


def names(database: Database, **options: Any) -> list[str]:
    page = database.read_sync(lambda s: service.search_runs(s, "default", **options))
    return [run.name for run in page.runs]


@pytest.mark.parametrize("order", ORDERS)
def test_pages_join_to_the_whole(database: Database, order: str) -> None:
    options: dict[str, Any] = {"order_by": [order] if order else []}
    whole = names(database, limit=100, **options)
    assert sorted(whole) == BY_BYTES
    found, cursor = [], None
    while True:
        page = database.read_sync(lambda s, cursor=cursor: service.search_runs(s, "default", cursor=cursor, limit=4, **options))  # type: ignore[misc]
        found += [run.name for run in page.runs]
        if (cursor := page.next_cursor) is None:
            break
    assert found == whole


def test_texts_are_sorted_byte_by_byte(database: Database) -> None:
    assert names(database, order_by=["run_name"]) == BY_BYTES
    assert names(database, order_by=["run_name desc"]) == BY_BYTES[::-1]
    with_params = [name for n, name in enumerate(NAMES) if n % 4]
    assert names(database, order_by=["params.word"])[: len(with_params)] == sorted(with_params)
    statuses = {name: ("Running" if n % 5 == 0 else ["Completed", "Failed", "Canceled"][n % 3]) for n, name in enumerate(NAMES)}
    assert names(database, order_by=["status", "run_name"]) == sorted(NAMES, key=lambda name: (statuses[name], name))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("übung", ["Übung 1", "übung 10", "übung 2"]),
        ("ÜBUNG 1", ["Übung 1", "übung 10"]),
        ("é", ["É"]),
        ("0%", ["100%"]),
        ("1_", ["1_0"]),
        ("ä", ["Ä", "ä"]),
        ("A B", ["a b"]),
    ],
)
def test_the_search_box_ignores_capitals_of_all_letters(database: Database, text: str, found: list[str]) -> None:
    assert names(database, text=text, order_by=["run_name"]) == sorted(found)


def test_the_search_box_of_experiments_too(database: Database) -> None:
    def listed(text: str) -> set[str]:
        options = {"text": text, "archived": False, "cursor": None, "limit": 10}
        page = database.read_sync(lambda s: experiments.list_experiments(s, "default", **options))  # type: ignore[arg-type]
        return {one.name for one in page.experiments}

    assert listed("éCOLE") == {"École"}
    assert listed("COLE") == {"École", "ecole"}


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("run_name ILIKE 'ÜBUNG _'", ["Übung 1", "übung 2"]),
        ("run_name LIKE 'Ü%'", ["Übung 1"]),
        ("tags.word ILIKE '%BUNG%' AND params.word != 'x'", ["übung 10", "übung 2"]),
        ("metrics.acc = NaN OR metrics.acc > 1e299", ["B", "É", "Ä", "Übung 1"]),
        ("metrics.acc BETWEEN 0.1 AND 0.5", ["b", "_a", "übung 2"]),
        ("experiment_name ILIKE 'école' AND status = 'running'", ["b", "übung 2"]),
        ("start_time >= '2027-01-15T08:00:13Z'", ["a", "ä"]),
    ],
)
def test_filters(database: Database, filter_text: str, found: list[str]) -> None:
    assert sorted(names(database, filter_text=filter_text)) == sorted(found)


FORGED = ["x", "1", 1.5, True, None, 10**15, -1, [1], [2], {"a": 1}]


@pytest.mark.parametrize("order", ["run_name", "params.word", "metrics.acc desc", "duration"])
def test_a_cursor_of_another_order_is_refused_or_read_never_a_failure(database: Database, order: str) -> None:
    options: dict[str, Any] = {"order_by": [order], "limit": 3}
    cursor = database.read_sync(lambda s: service.search_runs(s, "default", **options)).next_cursor
    assert cursor is not None
    key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    read: list[Any] = []
    refused: set[str | None] = set()
    for place, value in product(range(len(key)), FORGED):
        forged = encode_cursor(*key[:place], value, *key[place + 1 :])
        try:
            database.read_sync(lambda s: service.search_runs(s, "default", cursor=forged, **options))  # noqa: B023 - called at once
        except BadInput as error:
            refused.add(error.field)
        else:
            read.append(value)
    assert refused == {"cursor"}
    assert not [value for value in read if isinstance(value, (bool, dict))]
    assert "x" in read  # as a run's id, which is the last part of each


def _all_pages(database: Database, limit: int, **criteria: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = database.read_sync(lambda s, at=cursor: service.search_runs(s, "default", cursor=at, limit=limit, **criteria))  # type: ignore[misc]
        found += [run.id for run in page.runs]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("order", ["metrics.acc", "metrics.acc desc", "metrics.acc desc, run_name", "metrics.acc, start_time"])
@pytest.mark.parametrize("text", ["", "metrics.acc > -1", "params.word LIKE '%b%'"])
@pytest.mark.parametrize("look", [1, 3, 4000])
def test_reading_a_metric_in_its_order_finds_the_same_pages(
    database: Database, monkeypatch: pytest.MonkeyPatch, order: str, text: str, look: int
):
    experiment = database.read_sync(
        lambda s: service.search_runs(s, "default", filter_text="experiment_name = 'École'", limit=1).runs[0].experiment_id
    )
    criteria: dict[str, Any] = {"experiment_ids": [experiment], "order_by": [order], "filter_text": text}
    monkeypatch.setattr(store, "FIRST_LOOK", 0)
    expected = _all_pages(database, 100, **criteria)
    monkeypatch.setattr(store, "FIRST_LOOK", look)
    assert [_all_pages(database, limit, **criteria) for limit in (1, 2, 5, 100)] == [expected] * 4
    assert len(set(expected)) == len(expected)
