"""Routes of a run's metrics."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.metrics.schemas import MetricHistory, MetricList, SeriesReply
from jupyter_mlws.domain.runs import service
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.downloads import content_disposition
from jupyter_mlws.kit.fields import Key
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.streams import csv_cell

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.actors import Actor

CSV_PAGE = 10_000


class SeriesQuery(Struct):
    """Which metrics, and to how many points each is reduced."""

    key: Annotated[list[Key], Meta(min_length=1, max_length=100)]
    points: Annotated[int, Meta(ge=2, le=10_000)] = 1000


class HistoryQuery(Struct):
    """Which metric, and which page of it."""

    key: Key
    limit: Annotated[int, Meta(ge=1, le=25_000)] = 1000
    cursor: str | None = None


class CsvQuery(Struct):
    """Which metrics; all if none is given."""

    key: list[Key] = []


class MetricsHandler(ApiHandler):
    """The metrics of a run."""

    @endpoint(Action.READ, summary="Metrics of a run", reply=MetricList)
    async def get(self, run_id: str) -> None:
        """Last, least and greatest value and the number of points of every metric."""
        actor = self.actor
        self.reply(await self.db.read(lambda s: metrics.list_metrics(s, service.open_run(s, actor, Action.READ, run_id).id)))


class SeriesHandler(ApiHandler):
    """Curves."""

    @endpoint(Action.READ, summary="Metrics prepared for a chart", query=SeriesQuery, reply=SeriesReply)
    async def get(self, run_id: str) -> None:
        """Where a metric has more points than asked for: the least and greatest of each bucket, so that no peak is lost."""
        actor, q = self.actor, self.query
        self.reply(
            await self.db.read(lambda s: metrics.series(s, service.open_run(s, actor, Action.READ, run_id).id, q.key, q.points))
        )


class HistoryHandler(ApiHandler):
    """Points."""

    @endpoint(Action.READ, summary="Points of a metric", query=HistoryQuery, reply=MetricHistory)
    async def get(self, run_id: str) -> None:
        """In the order of (step, time), page by page."""
        actor, q = self.actor, self.query
        self.reply(
            await self.db.read(
                lambda s: metrics.history(s, service.open_run(s, actor, Action.READ, run_id).id, q.key, q.cursor, q.limit)
            )
        )


class CsvHandler(ApiHandler):
    """Points as a table."""

    @endpoint(Action.READ, summary="Points of metrics as CSV", query=CsvQuery, media_type="text/csv")
    async def get(self, run_id: str) -> None:
        """Columns: metric, step, time (ms since the epoch), value. Sent page by page, whatever its size."""
        actor, asked = self.actor, self.query.key
        there = await self.db.read(lambda s: _keys(s, actor, run_id))
        keys = asked or there
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", content_disposition(f"metrics-{run_id[:8]}.csv", inline=False))
        self.set_header("Content-Security-Policy", "sandbox")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.write("metric,step,time,value\r\n")
        for key in keys:
            cursor: str | None = None
            while True:
                page = await self.db.read(
                    lambda s, key=key, cursor=cursor: metrics.history(  # type: ignore[misc]
                        s, service.open_run(s, actor, Action.READ, run_id).id, key, cursor, CSV_PAGE
                    )
                )
                self.write(await asyncio.to_thread(_rows, page))
                await self.flush()
                cursor = page.next_cursor
                if cursor is None:
                    break


def _keys(session: Session, actor: Actor, run_id: str) -> list[str]:
    return [m.key for m in metrics.list_metrics(session, service.open_run(session, actor, Action.READ, run_id).id).metrics]


def _rows(page: MetricHistory) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    key = csv_cell(page.key)
    writer.writerows((key, step, time, value) for step, time, value in zip(page.steps, page.times, page.values, strict=True))
    return out.getvalue()


ROUTES = [
    Route("/runs/{run_id}/metrics", MetricsHandler),
    Route("/runs/{run_id}/metrics/series", SeriesHandler),
    Route("/runs/{run_id}/metrics/history", HistoryHandler),
    Route("/runs/{run_id}/metrics/csv", CsvHandler),
]
