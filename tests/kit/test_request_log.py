"""Requests that went well: counted for Prometheus, and put into words only where somebody reads them."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import httpx
import pytest
from jupyter_server.log import log_request
from jupyter_server.prometheus.metrics import HTTP_REQUEST_DURATION_SECONDS
from tornado.httpserver import HTTPServer
from tornado.log import app_log
from tornado.testing import bind_unused_port

from tests.kit.stream_app import HEADERS, make_app

HANDLER = "tests.kit.stream_app.Upload"


def counted(status: str) -> float:
    """Requests of the handler that Prometheus is told of."""
    return sum(
        sample.value
        for family in HTTP_REQUEST_DURATION_SECONDS.collect()
        for sample in family.samples
        if sample.name.endswith("_count") and sample.labels["handler"] == HANDLER and sample.labels["status_code"] == status
    )


class Reader(logging.Handler):
    """Keeps what it hears."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@pytest.mark.parametrize("metrics", [True, False])
@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
async def test_requests_that_went_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: int, metrics: bool) -> None:
    app = make_app(tmp_path)
    app.settings["log_function"] = partial(log_request, record_prometheus_metrics=metrics)
    reader = Reader(level)
    # As Jupyter has its logger: all levels pass, and its handlers choose.
    monkeypatch.setattr(app_log, "handlers", [reader])
    monkeypatch.setattr(app_log, "propagate", False)
    monkeypatch.setattr(app_log, "level", logging.DEBUG)
    app_log.manager._clear_cache()  # type: ignore[attr-defined]
    server, (socket, port) = HTTPServer(app), bind_unused_port()
    server.add_socket(socket)
    before = counted("200"), counted("401")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/upload", headers=HEADERS)).status_code == 200
        assert (await client.get("/upload", headers={"Authorization": "Bearer mlws_wrong"})).status_code == 401
    server.stop()
    await server.close_all_connections()
    lines = [line[:3] for line in reader.heard if "/upload" in line]
    assert lines == (["200", "401"] if level == logging.DEBUG else ["401"])
    assert (counted("200") - before[0], counted("401") - before[1]) == (metrics, metrics)
