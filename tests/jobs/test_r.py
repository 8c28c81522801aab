"""Notebook jobs in R, with the kernel IRkernel: parameters, live cells, a failed cell, cancel, and what R sees of its run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.live import LiveServer, notebook
from tests.servers import lean, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WITHIN = 90.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One whose users have R, as a kernel of its own prefix."""
    rscript = shutil.which("Rscript")
    if rscript is None or subprocess.run([rscript, "-e", "library(IRkernel)"], capture_output=True).returncode != 0:
        pytest.skip("R and its kernel are not installed (Debian: apt install r-base-core r-cran-irkernel)")
    prefix = tmp_path_factory.mktemp("r")
    line = f'IRkernel::installspec(name = "ir", prefix = "{prefix}", user = FALSE)'
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])  # it calls `jupyter`
    subprocess.run([rscript, "-e", line], env={**os.environ, "PATH": path}, check=True, capture_output=True)
    made = lean(tmp_path_factory.mktemp("server"), environment={"JUPYTER_PATH": str(prefix / "share" / "jupyter")}).start()
    yield made
    made.stop()


def submit(server: LiveServer, name: str, *cells: str, parameters_cell: str | None = None, **spec: object) -> str:
    """A job of a notebook as JupyterLab writes it for R."""
    content = notebook(*cells, parameters=parameters_cell)
    content["metadata"] = {
        "kernelspec": {"name": "ir", "display_name": "R", "language": "R"},
        "language_info": {"name": "R", "file_extension": ".r", "mimetype": "text/x-r-source"},
    }
    (server.root / f"{name}.ipynb").write_text(json.dumps(content))
    return server.submit({"kind": "notebook", "notebook": f"{name}.ipynb", **spec})


def outputs_of(server: LiveServer, run_id: str) -> list[str]:
    """What the cells have printed until now, as the live notebook shows it."""
    found = server.ok("GET", f"/jobs/{run_id}/notebook")["deltas"]
    return [delta["output"]["text"] for delta in found if delta["op"] == "output" and "text" in delta["output"]]


def test_parameters_are_given_as_r_has_them(server: LiveServer):
    declared = 'rate <- 0.5\nrounds <- 2L\nname <- "none"\nwhole <- FALSE\nparts <- list(1)'
    show = 'cat(rate, class(rate), rounds, name, nchar(name), whole, class(whole), sum(unlist(parts)), sep = "|")'
    given = {"rate": 0.25, "rounds": 7, "name": 'a "b" \\ é', "whole": True, "parts": [1, 2, 3]}
    run_id = submit(server, "parameters", show, parameters_cell=declared, parameters=given)
    run = server.wait(run_id, timeout=WITHIN)
    assert (run["status"], run["error"]) == ("Completed", None)
    assert outputs_of(server, run_id) == ['0.25|numeric|7|a "b" \\ é|9|TRUE|logical|6']
    assert run["params"] == {"rate": "0.25", "rounds": "7", "name": 'a "b" \\ é', "whole": "True", "parts": "[1, 2, 3]"}
    environment = server.ok("GET", f"/runs/{run_id}/environment")
    assert (environment["language"], environment["kernel_name"]) == ("R", "ir")


def test_r_finds_its_run_and_the_tracking_server(server: LiveServer):
    names = ["MLWS_RUN_ID", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLWS_WORKSPACE"]
    read = "\n".join(f'cat(Sys.getenv("{name}"), "\\n")' for name in names if "TOKEN" not in name)
    asked = """
uri <- paste0(Sys.getenv("MLFLOW_TRACKING_URI"), "/api/2.0/mlflow/runs/get?run_id=", Sys.getenv("MLWS_RUN_ID"))
answer <- url(uri, headers = c(Authorization = paste("Bearer", Sys.getenv("MLFLOW_TRACKING_TOKEN"))))
cat(grepl(Sys.getenv("MLWS_RUN_ID"), paste(readLines(answer, warn = FALSE), collapse = "")), "\n")
"""
    run_id = submit(server, "variables", read, asked)
    run = server.wait(run_id, timeout=WITHIN)
    assert (run["status"], run["error"]) == ("Completed", None)
    said = "".join(outputs_of(server, run_id)).split()
    assert said == [run_id, f"{server.url}/mlws/w/default", "default", "TRUE"]


def test_cells_are_live_and_cancel_ends_r(server: LiveServer):
    run_id = submit(server, "live", 'cat("begun\\n")', 'cat("second\\n"); flush.console(); Sys.sleep(600)', 'cat("never\\n")')
    until(lambda: outputs_of(server, run_id) == ["begun\n", "second\n"], WITHIN)
    until(lambda: server.ok("GET", f"/runs/{run_id}")["progress"]["done"] == 1, WITHIN)  # looked at apart from the cells
    run = server.ok("GET", f"/runs/{run_id}")
    assert (run["status"], run["progress"]["total"]) == ("Running", 3)
    pid = json.loads((server.data_dir / "jobs" / run_id / "pid.json").read_text())["pid"]
    tree = psutil.Process(pid).children(recursive=True)
    assert any("IRkernel" in " ".join(process.cmdline()) for process in tree)
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id, timeout=WITHIN)["status"] == "Canceled"
    until(lambda: not any(process.is_running() for process in tree), 60)
    assert outputs_of(server, run_id)[:2] == ["begun\n", "second\n"]
    assert "never\n" not in outputs_of(server, run_id)


def test_a_failing_cell_is_named_with_what_r_says(server: LiveServer):
    run_id = submit(server, "fails", "x <- 1", 'train <- function(rate) stop("no such luck: ", rate)\ntrain(0.5)', 'cat("never")')
    run = server.wait(run_id, timeout=WITHIN)
    assert (run["status"], run["reason"], run["error"]["cell"]) == ("Failed", "error", 1)
    assert "no such luck: 0.5" in run["error"]["message"]
    assert "train(0.5)" in run["error"]["traceback"]
    assert outputs_of(server, run_id) == []
