"""Jobs in environments, through the front door: the build is waited for, the interpreter is that of the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.domain.environments.conftest import slow_package, wheel
from tests.live import LiveServer, write_notebook
from tests.servers import lean, until

pytestmark = pytest.mark.slow
HERE = "/workspaces/default/environments"


def define(server: LiveServer, name: str, line: str, **more: object) -> None:
    definition = {"kind": "requirements", "requirements": f"{line}\n", "notebooks": False, **more}
    server.ok("POST", HERE, {"name": name, "definition": definition})


def is_built(server: LiveServer, name: str) -> bool:
    return bool(server.ok("GET", f"{HERE}/{name}/versions/1")["build"]["status"] == "Ready")


def test_a_command_runs_with_the_interpreter_of_its_environment(server: LiveServer, tmp_path: Path) -> None:
    define(server, "tiny", f"--no-index\ntinypkg @ file://{wheel(tmp_path)}")
    line = "python -c 'import tinypkg, mlws, sys; print(tinypkg.X, sys.prefix == sys.argv[1])' $VIRTUAL_ENV; which python"
    run_id = server.submit({"kind": "command", "command": line}, environment="azureml:tiny@latest")
    assert server.wait(run_id, timeout=100)["status"] == "Completed"
    built = server.ok("GET", f"{HERE}/tiny/versions/1")["build"]
    folder = Path(built["interpreter"]).parent
    assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == f"41 True\n{folder / 'python'}\n"
    assert server.ok("GET", f"/jobs/{run_id}")["environment"] == "tiny:1"
    captured = until(lambda: server.ok("GET", f"/runs/{run_id}/environment"), 60)
    assert (captured["environment"], captured["packages"]["tinypkg"]) == ("tiny:1", "1.0")
    assert captured["executable"] == built["interpreter"]
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {})
    assert (again["environment"], server.wait(again["run"]["id"])["status"]) == ("tiny:1", "Completed")
    assert server.ok("GET", f"{HERE}/tiny/versions/1")["build"] == built


def test_what_waits_for_a_build_takes_no_slot_and_fails_with_it(new_server: Callable[..., LiveServer], tmp_path: Path) -> None:
    server = lean(tmp_path / "own", options=["--MlwsApp.max_jobs=1"]).start()
    try:
        define(server, "slow", f"slow @ file://{slow_package(tmp_path / 'slow')}")
        waits = server.submit({"kind": "command", "command": "true"}, environment="slow")
        waiting = server.ok("GET", f"/runs/{waits}")["waiting"]
        assert (waiting["code"], waiting["reason"]) == ("environment", "The environment slow:1 is being built.")
        assert server.wait(server.submit({"kind": "command", "command": "true"}))["status"] == "Completed"
        assert server.ok("GET", f"/runs/{waits}")["status"] == "Queued"
        server.ok("POST", f"{HERE}/slow/versions/1/build/cancel")
        run = server.wait(waits)
        assert (run["status"], run["reason"]) == ("Failed", "environment")
        assert "The build was canceled. `mlws environment log slow:1`" in run["error"]["message"]
    finally:
        server.stop()


def test_what_is_built_goes_once_it_is_archived_and_no_job_waits_for_it(new_server: Callable[..., LiveServer]) -> None:
    server = new_server().start()
    for name in ("kept", "left"):
        define(server, name, f"--no-index  # {name}")
        server.ok("POST", f"{HERE}/{name}/versions/1/build")
        until(partial(is_built, server, name), 100)
    server.ok("PATCH", "/compute/local", {"paused": True})
    waits = server.submit({"kind": "command", "command": "true"}, environment="left")
    server.ok("POST", f"{HERE}/left/archive")
    for record in (server.data_dir / "environments").glob("*/*.json"):
        os.utime(record, (0, 0))

    def gone() -> int:
        return next(int(one["number"]) for one in server.ok("POST", "/gc")["kinds"] if one["kind"] == "environments")

    assert gone() == 0, "a job waits for it"
    server.ok("POST", f"/jobs/{waits}/cancel")
    server.wait(waits, "Canceled")
    assert gone() == 1
    left, kept = (server.ok("GET", f"{HERE}/{name}/versions/1")["build"]["status"] for name in ("left", "kept"))
    assert (left, kept) == ("NotBuilt", "Ready")


def test_what_is_not_known_or_does_not_fit_is_refused_before_queueing(server: LiveServer) -> None:
    define(server, "plain", "--no-index")
    server.ok("POST", HERE, {"name": "py3", "definition": {"kind": "kernel", "kernel": "python3"}})
    write_notebook(server.root / "env.ipynb", "1")
    before = len(server.ok("GET", "/workspaces/default/jobs")["jobs"])
    command, notebook = {"kind": "command", "command": "true"}, {"kind": "notebook", "notebook": "env.ipynb"}
    for spec, reference, code, words in (
        (command, "azureml:plian:1", "unknown_environment", "Did you mean 'plain'?"),
        (command, "py3", "unusable_environment", "kernels run notebooks"),
        (notebook, "plain", "unusable_environment", "Notebooks need ipykernel"),
        ({**notebook, "kernel": "ir"}, "py3", "unusable_environment", "leave `kernel` out"),
    ):
        answer = server.post("/workspaces/default/jobs", {"spec": spec, "environment": reference})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, code)
        assert words in error["message"]
    file = {"text": "command: 'true'\nenvironment: azureml:plian@latest\n", "file_name": "j.yml", "folder": ""}
    refused = server.post("/workspaces/default/jobs/file", file).json()["error"]["message"]
    assert refused.startswith("j.yml, line 2, environment: Workspace 'default' has no environment 'azureml:plian@latest'")
    inline = {**file, "text": "command: 'true'\nenvironment:\n  image: x\n"}
    assert "a job is no container" in server.post("/workspaces/default/jobs/file/validate", inline).text
    assert len(server.ok("GET", "/workspaces/default/jobs")["jobs"]) == before
    run = server.wait(server.submit(notebook, environment="py3"))
    assert run["status"] == "Completed"


def test_aliases_are_looked_up_and_can_be_removed(server: LiveServer, tmp_path: Path) -> None:
    define(server, "meant", f"--no-index\ntinypkg @ file://{wheel(tmp_path)}")
    alias = "azureml://registries/azureml/environments/sklearn-*"
    server.ok("PATCH", "/environment-aliases", {"aliases": {alias: "meant"}})
    text = "command: 'true'\nenvironment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest\n"
    made = server.ok("POST", "/workspaces/default/jobs/file", {"text": text, "folder": ""})
    assert made["job"]["environment"] == "meant:1"
    assert server.wait(made["job"]["run"]["id"], timeout=100)["status"] == "Completed"
    server.ok("PATCH", "/environment-aliases", {"aliases": {alias: None}})
    assert server.ok("GET", "/environment-aliases") == {"aliases": []}


def test_a_notebook_runs_in_the_kernel_of_its_environment(server: LiveServer, tmp_path: Path) -> None:
    """With an interpreter that is there: this one, as seen from elsewhere."""
    import sys

    server.ok("POST", HERE, {"name": "this", "definition": {"kind": "python", "python": sys.executable}})
    write_notebook(server.root / "nb.ipynb", "import sys, mlws; print('in', sys.executable)", kernel="not-installed")
    run_id = server.submit({"kind": "notebook", "notebook": "nb.ipynb"}, environment="this:1")
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    deltas = server.ok("GET", f"/jobs/{run_id}/notebook")["deltas"]
    assert f"in {sys.executable}" in str(deltas)
    made = server.ok("POST", f"/runs/{run_id}/environment", {"name": "of-run"})
    assert made["definition"]["kind"] == "requirements"
    assert "\nmsgspec==" in made["definition"]["requirements"]
