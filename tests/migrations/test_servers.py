"""Real servers on databases of other versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlws.server.schema import HEAD
from tests.live import LiveServer
from tests.migrations import contents, frozen
from tests.migrations.future import NEXT, build_future
from tests.servers import until


def refusal(server: LiveServer) -> Any:
    """The error of an answer 503 that is not about starting."""
    answer = server.get("/workspaces/default/runs")
    return None if answer.json()["error"]["code"] == "unavailable" else (answer.status_code, answer.json()["error"])


def seen(server: LiveServer) -> dict[str, Any]:
    """What pages show of the frozen data."""
    run = contents.TRAINED
    token = httpx.get(f"{server.url}/mlws/api/v1/workspaces/team/runs", headers={"Authorization": f"Bearer {contents.TOKEN}"})
    query = {"filter": "metrics.acc > 0.8 and params.Model = 'forest'"}
    return {
        "found": [one["id"] for one in server.ok("GET", "/workspaces/default/runs", params=query)["runs"]],
        "in the bin": [one["id"] for one in server.ok("GET", "/workspaces/default/runs", params={"view": "deleted"})["runs"]],
        "run": server.ok("GET", f"/runs/{run}"),
        "metrics": server.ok("GET", f"/runs/{run}/metrics"),
        "artifacts": server.ok("GET", f"/runs/{run}/artifacts", params={"recursive": "true"}),
        "of the team": sorted(one["status"] for one in token.json()["runs"]),
    }


def expected(version: str) -> dict[str, Any]:
    """The same, as it was when the data were frozen."""
    trained = frozen.expected_of(version)["runs of default"][contents.TRAINED]
    return {
        "found": [contents.TRAINED],
        "in the bin": [contents.BINNED],
        "run": trained["run"],
        "metrics": trained["metrics"],
        "artifacts": trained["artifacts"],
        "of the team": ["Completed", "Failed", "Failed"],
    }


@pytest.mark.slow
@pytest.mark.parametrize("version", frozen.VERSIONS)
def test_a_later_server_upgrades_and_an_earlier_one_refuses_until_the_copy_is_back(
    new_server: Callable[..., LiveServer], tmp_path: Path, version: str
) -> None:
    data_dir = tmp_path / "data"
    database = frozen.thaw(version, data_dir / "mlws.db")
    later = new_server(data_dir=data_dir, environment=build_future(tmp_path / "future"))
    later.start()
    assert contents.missing(expected(version), seen(later)) == []
    later.stop()
    copy = data_dir / f"mlws.db.bak-{version}"
    assert copy.exists()

    present = new_server(data_dir=data_dir)
    present.start(answer=503)
    status, error = until(lambda: refusal(present), 30)
    assert (status, error["code"]) == (503, "newer_schema")
    assert f"has schema '{NEXT}'" in error["message"]
    assert "Upgrade jupyter_mlws" in error["message"]
    copy.replace(database)
    until(lambda: present.get("/health").status_code == 200, 30)  # it tries again by itself
    assert contents.missing(expected(version), seen(present)) == []
    present.stop()
    assert copy.exists() is (version != HEAD)
