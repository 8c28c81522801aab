"""What the README shows is run: each block as a reader would paste it, in the order of the page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.mlflow_clients import python_of
from tests.project.files import ROOT
from tests.project.test_readme import README, blocks
from tests.servers import lean

PREPARED = """\
import numpy
from sklearn.linear_model import LinearRegression
X, y, model = numpy.eye(8), numpy.arange(8), LinearRegression()
"""
"""What a reader has who adds MLflow's two lines to a training of theirs."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of their own: they look at all that it has."""
    made = lean(tmp_path_factory.mktemp("readme")).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def clone(server: LiveServer) -> Path:
    """A folder with the examples, as a clone has them."""
    folder = server.root / "clone"
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return folder


def paste(command: list[str], text: str, server: LiveServer, folder: Path, **more: str) -> str:
    """What a shell or Python prints that reads `text`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**server.env, "PATH": path, **more}
    done = subprocess.run(
        command, input=text, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def block(language: str, words: str) -> str:
    """The one block with these words."""
    (found,) = [text for text in blocks(README, language) if words in text]
    return found


@pytest.mark.timeout(240)
def test_the_commands_of_the_terminal(server: LiveServer, clone: Path):
    jobs, _, comparison = block("bash", "mlws job create").partition("mlws run compare")
    paste(["bash", "-e"], jobs, server, clone)
    runs = server.ok("GET", "/workspaces/default/runs")["runs"]
    made = [run for run in runs if run["kind"] != "interactive"]
    assert [run["status"] for run in made] == ["Completed", "Completed"]
    assert {run["params"].get("learning_rate") for run in made} == {"0.01", "0.003"}
    two = " ".join(run["id"][:8] for run in made)
    assert "test_accuracy" in paste(["bash", "-e"], f"mlws run compare{comparison.replace('<run> <run>', two)}", server, clone)


def test_tracking_from_a_script(server: LiveServer, clone: Path):
    paste([sys.executable, "-"], block("python", "mlws.start_run"), server, clone)
    (run,) = [run for run in server.ok("GET", "/workspaces/default/runs")["runs"] if run["name"] == "baseline"]
    assert (run["status"], run["params"]) == ("Completed", {"learning_rate": "0.01"})
    assert (run["metrics"]["loss"]["count"], run["metrics"]["loss"]["last"]) == (10, 0.1)


def test_mlflow_code_unchanged(server: LiveServer, clone: Path):
    variables = {"MLFLOW_TRACKING_URI": f"{server.url}/mlws", "MLFLOW_TRACKING_TOKEN": server.token}
    paste([python_of("3"), "-"], PREPARED + block("python", "mlflow.autolog"), server, clone, **variables)
    runs = server.ok("GET", "/workspaces/default/runs")["runs"]
    assert any(run["status"] == "Completed" and "fit_intercept" in run["params"] for run in runs)


@pytest.mark.timeout(240)
def test_the_client_in_python(server: LiveServer, clone: Path):
    printed = paste([sys.executable, "-"], block("python", "start_or_connect"), server, clone).splitlines()
    best = max(
        run["metrics"]["test_accuracy"]["last"]
        for run in server.ok("GET", "/workspaces/default/runs")["runs"]
        if "test_accuracy" in run["metrics"]
    )
    assert float(printed[-1].split()[-1]) == best
