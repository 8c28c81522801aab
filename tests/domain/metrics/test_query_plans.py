"""No query of metrics reads a whole table."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from sqlalchemy import event, text

from jupyter_mlws.db import driver
from jupyter_mlws.domain.metrics import service, tasks
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database

RUN = new_id()
BATCH = [MetricPoint(key=key, step=step, time=step, value=0.5) for key in ("a", "b") for step in range(700)]


def plans(database: Database, work: Callable[[Session], Any]) -> list[str]:
    """The query plans of all that `work` runs, one line a step."""
    found: list[str] = []
    sqlite = database.writer_engine.dialect.name == "sqlite"

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            fresh = cursor.connection.cursor()
            fresh.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement, parameters[0] if many else parameters)
            found.extend(row[3 if sqlite else 0] for row in fresh.fetchall())

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        """A statement for the driver goes past SQLAlchemy's events."""

        def call(session: Session, sql: str, parameters: Any, **how: Any) -> Any:
            cursor = session.connection().connection.cursor()
            explain(None, cursor, driver._for(session.connection(), sql), parameters, None, how.get("many", False))
            return function(session, sql, parameters, **how)

        return call

    def run(session: Session) -> None:
        for way in () if sqlite else ("seqscan", "mergejoin", "hashjoin"):  # right for small tables; the large ones count
            session.execute(text(f"SET LOCAL enable_{way} = off"))
        bind = session.get_bind()
        event.listen(bind, "before_cursor_execute", explain)
        try:
            with patch.object(driver, "fetch", watched(driver.fetch)), patch.object(driver, "run", watched(driver.run)):
                work(session)
        finally:
            event.remove(bind, "before_cursor_execute", explain)

    database.write_sync(run)
    return found


def scans(steps: list[str]) -> list[str]:
    """The steps that read a table of metrics, or an index of one, from end to end."""
    whole = [step for step in steps if step.startswith("SCAN") or "Seq Scan" in step]
    for step, following in pairwise([*steps, ""]):
        if re.search("Index (Only )?Scan", step) and "Index Cond" not in following:
            whole.append(step)
    return [step for step in whole if "metric_" in step and "ix_metric_latest_compaction_due" not in step]


WORK: dict[str, Callable[[Session], Any]] = {
    "summaries": lambda s: service.summaries(s, [RUN, new_id()], ["a", "b"]),
    "summaries of all keys": lambda s: service.summaries(s, [RUN, new_id()]),
    "list": lambda s: service.list_metrics(s, RUN),
    "series": lambda s: service.series(s, RUN, ["a"], 10),
    "whole series": lambda s: service.series(s, RUN, ["a"], 10_000),
    "history": lambda s: service.history(s, RUN, "a", service.history(s, RUN, "a", None, 10).next_cursor, 10),
    "best": lambda s: service.best_of_experiment(s, 1, "a", "maximize", [RUN]),
    "logging again": lambda s: service.log_points(s, RUN, 1, BATCH),
    "logging more": lambda s: service.log_points(s, RUN, 1, [MetricPoint(key="a", step=9000, time=0, value=1.0)]),
    "logging many keys": lambda s: service.log_points(
        s, RUN, 1, [MetricPoint(key=f"m{n}", step=0, time=0, value=1.0) for n in range(1100)]
    ),
    "moving": lambda s: service.move_run(s, RUN, 2),
    "compaction": lambda s: [tasks.compact(s, one) for one in tasks.compaction_candidates(s, 10)],
    "deleting": lambda s: service.delete_of_runs(s, [RUN]),
}


@pytest.mark.parametrize("name", WORK)
def test_no_plan_scans_a_table(database: Database, name: str) -> None:
    database.write_sync(lambda s: service.log_points(s, RUN, 1, BATCH))
    for start in range(0, 1200, 400):
        tail = [MetricPoint(key="tail", step=step, time=step, value=0.5) for step in range(start, start + 400)]
        database.write_sync(partial(service.log_points, run_id=RUN, experiment_id=1, points=tail))
    steps = plans(database, WORK[name])
    assert steps
    assert scans(steps) == [], "\n".join(steps)
    if name == "compaction":
        assert any("ix_metric_latest_compaction_due" in step for step in steps)


def test_a_scan_would_be_found(database: Database) -> None:
    assert scans(plans(database, lambda s: s.execute(text("SELECT * FROM metric_tail WHERE value = 3")))) != []
    assert scans(plans(database, lambda s: s.execute(text("SELECT * FROM metric_tail WHERE id = 3")))) == []
