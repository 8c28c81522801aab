"""The quick way to log a point: it does the common case, leaves all else to the long way, and stores the same."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jupyter_mlws.db import outbox
from jupyter_mlws.db.database import Database
from jupyter_mlws.db.shortcut import Plain, Shortcut
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import RunDeleted, RunNotFound
from jupyter_mlws.domain.runs.schemas import RunCreate, RunEnd
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.schemas import WorkspaceCreate
from jupyter_mlws.kit.actors import Actor, ActorKind
from tests.domain.runs.rows import ADA


def make_run(db: Database) -> str:
    return db.write_sync(lambda s: runs.create_run(s, ADA, "default", RunCreate())).id


LONG = object()
SHORT = object()


def point(step: int, value: float = 0.5, key: str = "loss", time: int = 1) -> MetricPoint:
    return MetricPoint(key=key, value=value, step=step, time=time)


async def log(db: Database, run_id: str, at: MetricPoint, actor: Actor = ADA) -> object:
    """Which way a point went."""

    def long(session: Session) -> object:
        runs.log(session, actor, run_id, metrics=[at])
        return LONG

    return await db.write(long, repeatable=True, shortcut=runs.shortcut(actor, run_id, at, SHORT))


def stored(db: Database, run_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that is stored of the metrics of a run."""

    def look(session: Session) -> dict[str, list[tuple[Any, ...]]]:
        def rows(sql: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in session.execute(text(sql), {"run": run_id})]

        return {
            "latest": rows(
                "SELECT key, value, CAST(is_nan AS INTEGER), min_value, max_value, step, time, count, tail_count, "
                "CAST(untidy AS INTEGER) FROM metric_latest WHERE run_id = :run ORDER BY key"
            ),
            "tail": rows(
                "SELECT l.key, t.step, t.time, t.value FROM metric_tail AS t JOIN metric_latest AS l ON l.id = t.series_id "
                "WHERE l.run_id = :run ORDER BY l.key, t.step, t.time, t.value"
            ),
        }

    return db.read_sync(look)


def hints(db: Database) -> list[outbox.Change]:
    return db.read_sync(lambda s: outbox.changes_after(s, 0, 1000))


def test_only_a_point_behind_the_last_goes_the_quick_way(db: Database) -> None:
    run_id = make_run(db)

    async def go() -> list[object]:
        points = [point(0), point(1), point(1, time=2), point(1, time=2), point(0), point(7), point(7, key="other")]
        return [await log(db, run_id, at) for at in points]

    assert asyncio.run(go()) == [LONG, SHORT, SHORT, LONG, LONG, SHORT, LONG]
    kept = db.read_sync(lambda s: runs.get_run(s, ADA, run_id))
    assert kept.metrics["loss"].count == 4


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_store_the_same(db: Database, seed: int) -> None:
    chance = random.Random(seed)
    values = [0.0, -0.0, 1.5, -2.0, math.nan, math.inf, -math.inf, 5e-324]
    points = [point(chance.randint(0, 40), chance.choice(values), chance.choice("ab"), chance.randint(1, 2)) for _ in range(150)]
    points.sort(key=lambda p: (p.step // 10, chance.random()))
    quick, slow = make_run(db), make_run(db)

    async def go() -> list[object]:
        return [await log(db, quick, at) for at in points]

    ways = asyncio.run(go())
    assert SHORT in ways
    assert LONG in ways
    for at in points:
        db.write_sync(partial(runs.log, actor=ADA, run_id=slow, metrics=[at]))
    assert repr(stored(db, quick)) == repr(stored(db, slow))


def test_a_group_is_stored_whole_and_told_once(db: Database) -> None:
    first, second = make_run(db), make_run(db)
    told: list[list[outbox.Change]] = []

    async def go() -> list[object]:
        for run_id in (first, second):
            await log(db, run_id, point(0))
        db.listeners.append(told.append)
        some = [
            log(db, first, point(1)),
            log(db, second, point(1)),
            log(db, first, point(2)),
            log(db, second, point(1, key="new")),
        ]
        return list(await asyncio.gather(*some))

    asyncio.run(go())
    db.write_sync(lambda _: None)  # listeners are told after the answers
    assert [row[7] for row in stored(db, first)["latest"]] == [3]
    assert [(row[0], row[7]) for row in stored(db, second)["latest"]] == [("loss", 2), ("new", 1)]
    seqs = [change.seq for group in told for change in group]
    assert seqs == sorted(set(seqs))
    assert {(change.kind, change.id) for group in told for change in group} == {("metrics", first), ("metrics", second)}
    last = {change.id: change.seq for group in told for change in group}
    assert {change.id: change.seq for change in hints(db) if change.kind == "metrics"} == last
    assert db.seq == seqs[-1]


def test_what_may_not_be_logged_is_refused_as_the_long_way_does(db: Database) -> None:
    run_id, other = make_run(db), make_run(db)
    space = db.write_sync(lambda s: workspaces.create_workspace(s, ADA, WorkspaceCreate(name="elsewhere")))
    other_id = db.read_sync(lambda s: workspaces.find(s, space.name)).id
    foreign = Actor(name="ada", kind=ActorKind.KERNEL, workspace="elsewhere", workspace_id=other_id)
    job = Actor(name="ada", kind=ActorKind.JOB, workspace="default", workspace_id=1, run_id=other)

    async def go() -> None:
        await log(db, run_id, point(0))
        with pytest.raises(RunNotFound):
            await log(db, run_id, point(1), foreign)
        assert runs.shortcut(job, run_id, point(1), SHORT) is None
        assert runs.shortcut(job, other, point(1), SHORT) is not None
        db.write_sync(lambda s: runs.end_run(s, ADA, run_id, RunEnd(status="Completed")))
        assert await log(db, run_id, point(1)) is LONG  # an ended run takes points while its experiment is open
        db.write_sync(lambda s: runs.move_to_bin(s, ADA, run_id))
        with pytest.raises(RunDeleted):
            await log(db, run_id, point(2))
        with pytest.raises(RunNotFound):
            await log(db, "0" * 32, point(1))

    asyncio.run(go())
    assert [row[7] for row in stored(db, run_id)["latest"]] == [2]


def broken(connection: Plain, requests: Sequence[Any], _seq: int) -> tuple[list[bool], list[outbox.Change]]:
    if not connection.postgresql:  # there it is a transaction, and this is undone
        connection.run("DELETE FROM metric_tail WHERE step > ?", [(-1,)])
    connection.fetch("SELECT nothing FROM nowhere WHERE 1 = ?", (len(requests),))
    raise AssertionError


def buggy(_connection: Plain, _requests: Sequence[Any], _seq: int) -> tuple[list[bool], list[outbox.Change]]:
    raise ZeroDivisionError


@pytest.mark.parametrize("function", [broken, buggy])
def test_a_way_that_fails_is_gone_the_long_way(db: Database, function: Any) -> None:
    run_id = make_run(db)

    async def go() -> list[object]:
        def long(session: Session) -> object:
            runs.log(session, ADA, run_id, metrics=[point(1)])
            return LONG

        return [
            await log(db, run_id, point(0)),
            await db.write(long, repeatable=True, shortcut=Shortcut(function, None, SHORT)),
            await log(db, run_id, point(5)),
        ]

    assert asyncio.run(go()) == [LONG, LONG, SHORT]
    assert [row[1] for row in stored(db, run_id)["tail"]] == [0, 1, 5]


def test_a_connection_that_was_given_up_is_replaced(db: Database) -> None:
    run_id = make_run(db)

    async def go() -> list[object]:
        answers = [await log(db, run_id, point(n)) for n in range(2)]
        db.writer_engine.raw_connection().invalidate()
        return [*answers, *[await log(db, run_id, point(n)) for n in range(2, 5)]]

    assert asyncio.run(go())[-1] is SHORT
    assert [row[1] for row in stored(db, run_id)["tail"]] == [0, 1, 2, 3, 4]


def test_a_token_of_the_workspace_takes_the_quick_way(db: Database) -> None:
    run_id = make_run(db)
    made = db.write_sync(lambda s: access.issue_token(s, kind=ActorKind.KERNEL, user="ada", workspace_id=1))
    actor = db.read_sync(lambda s: access.actor_of_token(s, made.secret))
    assert actor is not None

    async def go() -> list[object]:
        return [await log(db, run_id, point(n), actor) for n in range(2)]

    assert asyncio.run(go()) == [LONG, SHORT]
