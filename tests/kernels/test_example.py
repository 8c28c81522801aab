"""The shipped notebook run by hand, as its first cell says: from top to bottom, again and again in one kernel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer
from tests.live_kernel import Kernel

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.ipynb"


def test_each_training_by_hand_is_a_run_of_its_own(server: LiveServer):
    content = json.loads(EXAMPLE.read_text())
    cells = [
        cell["source"].replace("epochs: int = 20", "epochs: int = 2") for cell in content["cells"] if cell["cell_type"] == "code"
    ]
    with Kernel(server, "by-hand/digits.ipynb") as kernel:
        for rate in ("0.003", "0.01"):
            for cell in cells:
                found = kernel.run(cell.replace("learning_rate: float = 0.003", f"learning_rate: float = {rate}"), timeout=120)
                assert found.error is None, found.text
        assert kernel.value("mlws.flush()") is True
    query = {"filter": "experiment_name = 'digits'", "order_by": "created_at"}
    runs: list[dict[str, Any]] = server.ok("GET", "/workspaces/default/runs", params=query)["runs"]
    assert [(run["params"]["learning_rate"], run["status"]) for run in runs] == [("0.003", "Completed"), ("0.01", "Completed")]
    for run in runs:
        found = server.ok("GET", f"/runs/{run['id']}/metrics/history", params={"key": "train_loss", "limit": 10})
        assert found["steps"] == [1, 2]
