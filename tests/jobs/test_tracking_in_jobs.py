"""What `mlws` does in a job that differs from a notebook: the job's own run, its name, tracked cells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import LiveServer, write_notebook

pytestmark = pytest.mark.slow

STARTS = "import mlws\nwith mlws.start_run('of the code') as run: mlws.log_metric('m', 1)"


def done(server: LiveServer, run_id: str) -> tuple[dict[str, Any], str]:
    """A job that must end well, and its log."""
    run = server.wait(run_id)
    log = server.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert run["status"] == "Completed", log
    assert run["metrics"]["m"]["last"] == 1
    return run, log


def test_the_name_given_at_the_submit_stays(server: LiveServer):
    line = f'python -c "{STARTS}"'
    named, log = done(server, server.submit({"kind": "command", "command": line}, name="given"))
    assert named["name"] == "given"
    assert "keeps the name it was submitted with, 'given', not 'of the code'" in log
    made, log = done(server, server.submit({"kind": "command", "command": line}))
    assert (made["name"], log) == ("of the code", "")


def test_a_made_name_gives_way_to_that_of_the_code(server: LiveServer):
    write_notebook(server.root / "names itself.ipynb", STARTS)
    run, _ = done(server, server.submit({"kind": "notebook", "notebook": "names itself.ipynb"}))
    assert run["name"] == "of the code"


def test_a_name_given_while_it_waited_stays(server: LiveServer):
    target = {"kind": "command", "command": "sleep 30"}
    busy = [server.submit(target) for _ in range(server.ok("GET", "/compute")["targets"][0]["max_jobs"])]
    run_id = server.submit({"kind": "command", "command": f'python -c "{STARTS}"'})
    server.ok("PATCH", f"/runs/{run_id}", {"name": "renamed"})
    for each in busy:
        server.ok("POST", f"/jobs/{each}/cancel")
    assert done(server, run_id)[0]["name"] == "renamed"


def test_a_tracked_cell_in_a_submitted_notebook(server: LiveServer):
    write_notebook(server.root / "tracks.ipynb", "%load_ext mlws", "%%mlws_run --param p=1\nimport mlws\nmlws.log_metric('m', 1)")
    run, log = done(server, server.submit({"kind": "notebook", "notebook": "tracks.ipynb"}))
    assert (run["params"], log) == ({"p": "1"}, "")
