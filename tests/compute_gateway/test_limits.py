"""What a kernel on another server brings to this machine has a limit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compute_gateway.test_jobs_there import metrics_of, paths_of, submit
from tests.gateway import OtherServer
from tests.live import LiveServer
from tests.ssh import log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PRINTS = "import time\nfor _ in range(40):\n    print('x' * 50_000, flush=True)\n    time.sleep(0.1)"
"""Jupyter Server drops what comes faster."""


@pytest.fixture(scope="module")
def narrow(server: LiveServer, other: OtherServer) -> Iterator[str]:
    """A target whose jobs bring a megabyte."""
    place = {"url": other.url, "token": {"workspace": "default", "name": "OTHER"}, "fetch_limit_bytes": 1_000_000}
    server.ok("POST", "/compute", {"name": "narrow", "gateway": place})
    yield "narrow"
    server.ok("DELETE", "/compute/narrow?force=true")


@pytest.mark.parametrize(
    "cell",
    [
        PRINTS,
        "import mlws\nmlws.log_text('x' * 3_000_000, 'large.txt')",
        "open('outputs/large.bin', 'wb').write(bytes(3_000_000))",
    ],
    ids=["printed", "logged", "left"],
)
def test_a_job_that_brings_more_fails_in_words(server: LiveServer, other: OtherServer, narrow: str, cell: str) -> None:
    run_id = submit(server, "import mlws\nmlws.log_metric('loss', 1)", cell, target=narrow)
    run = server.wait(run_id)
    assert run["status"] == "Failed"
    assert "brings more than 1 MB" in run["error"]["message"]
    assert "--fetch-limit" in run["error"]["message"]
    assert metrics_of(server, run_id) == {"loss": 1}
    assert not paths_of(server, run_id) & {"outputs/large.bin", "large.txt"}
    assert len(log_of(server, run_id)) < 1_500_000
    assert other.kernels() == []


def test_a_job_that_brings_less_is_as_any_other(server: LiveServer, narrow: str) -> None:
    run_id = submit(server, "print('x' * 100_000)\nopen('outputs/small.bin', 'wb').write(bytes(500_000))", target=narrow)
    assert server.wait(run_id)["status"] == "Completed", log_of(server, run_id)
    assert "outputs/small.bin" in paths_of(server, run_id)
