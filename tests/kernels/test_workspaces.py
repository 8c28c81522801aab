"""Which workspace a kernel's runs go to: named by the server, by a kernelspec, in a cell; and what is said where it is not there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer, write_notebook
from tests.live_kernel import Kernel
from tests.servers import kill, lean, until

pytestmark = pytest.mark.slow

TRACK = "with mlws.start_run({name!r}{more}) as run: mlws.log_metric('m', 1); mlws.log_text('x', 'x.txt')"


def track(kernel: Kernel, name: str, more: str = "") -> str:
    """Track a run in a cell; its id."""
    kernel.run(f"import mlws\n{TRACK.format(name=name, more=more)}\nassert run.flush(), run")
    run_id: str = kernel.value("run.id")
    return run_id


def run_of(server: LiveServer, run_id: str) -> dict[str, Any]:
    """The run, which must have all that `track` logs."""
    run: dict[str, Any] = server.ok("GET", f"/runs/{run_id}")
    assert (run["status"], run["metrics"]["m"]["last"]) == ("Completed", 1)
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "x.txt"}).content == b"x"
    return run


def actor_in(server: LiveServer, kernel: Kernel) -> dict[str, Any]:
    """Whose token the kernel has."""
    token = kernel.value("__import__('os').environ['MLWS_TOKEN']")
    actor: dict[str, Any] = server.ok("GET", "/info", token=token)["actor"]
    assert actor["kind"] == "kernel"
    return actor


def kernelspec(server: LiveServer, name: str, **env: str) -> str:
    """Register a kernelspec with variables of its own."""
    folder = server.folder / "jupyter" / "kernels" / name
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": "python", "env": env}))
    return name


@pytest.fixture(scope="module")
def vision(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server in whose environment a workspace is named, which is made only now."""
    server = lean(tmp_path_factory.mktemp("vision"), environment={"MLWS_WORKSPACE": "vision"}).start()
    yield server
    server.stop()


def test_a_workspace_that_the_environment_names_before_it_is_made(vision: LiveServer):
    """The kernel starts, each loss is told, nothing lands elsewhere; and once the workspace is made, runs go there."""
    with Kernel(vision) as kernel:
        assert actor_in(vision, kernel)["workspace"] == "default"
        assert "mlws workspace create" in vision.log()
        shown = kernel.run("import mlws\nrun = mlws.start_run('lost')\nmlws.log_metric('m', 1)\nrun.end()\nrun")
        assert "There is no workspace 'vision'" in shown.text
        assert "`mlws workspace create` makes one" in shown.text
        assert ".rejected" in shown.text
        assert "refused by the server: There is no workspace 'vision'" in shown.shows()
        assert "Refused by the server: There is no workspace" in shown.shows("text/html")
        assert "/open/runs/" not in shown.shows("text/html")
        assert kernel.value("[run.flush(), mlws.flush()]") == [False, False]
        kernel.run("%load_ext mlws")
        assert "There is no workspace 'vision'" in kernel.run("%mlws").shows()
        assert "UsageError: There is no workspace 'vision'" in kernel.run("%mlws list").text
        assert vision.ok("GET", "/workspaces/default/runs")["runs"] == []
        vision.ok("POST", "/workspaces", {"name": "vision"})
        assert run_of(vision, track(kernel, "found"))["workspace"] == "vision"
        assert "Workspace  vision\n" in kernel.run("%mlws").shows()
    assert [run["name"] for run in vision.ok("GET", "/workspaces/vision/runs")["runs"]] == ["found"]


def test_the_environment_of_the_server_names_the_workspace_of_the_token(vision: LiveServer):
    with Kernel(vision) as kernel:
        assert actor_in(vision, kernel)["workspace"] == "vision"
        assert run_of(vision, track(kernel, "named"))["workspace"] == "vision"
        assert run_of(vision, track(kernel, "back", ", workspace='default'"))["workspace"] == "default"


def test_a_kernelspec_names_the_workspace(jupyter: LiveServer):
    name = kernelspec(jupyter, "for-vision", MLWS_WORKSPACE="vision")
    with Kernel(jupyter, name=name) as kernel:
        assert actor_in(jupyter, kernel)["workspace"] == "vision"
        assert run_of(jupyter, track(kernel, "of the kernelspec"))["workspace"] == "vision"


def test_a_kernelspec_with_a_path_of_its_own(jupyter: LiveServer):
    """Its entries stand before ours, and ours is not lost."""
    name = kernelspec(jupyter, "with-a-path", PYTHONPATH="/of/the/kernelspec:${NOT_SET_ANYWHERE}")
    with Kernel(jupyter, name=name) as kernel:
        path = kernel.value("__import__('os').environ['PYTHONPATH']").split(":")
        assert (path[0], Path(path[-1]).name) == ("/of/the/kernelspec", "kernel_path")
        run_of(jupyter, track(kernel, "with a path"))


def test_a_kernelspec_names_another_server(jupyter: LiveServer):
    name = kernelspec(jupyter, "elsewhere", MLWS_URL="http://127.0.0.1:9/mlws", MLWS_TOKEN="mine")
    with Kernel(jupyter, name=name) as kernel:
        assert kernel.value("[__import__('os').environ[n] for n in ('MLWS_URL', 'MLWS_TOKEN')]") == [
            "http://127.0.0.1:9/mlws",
            "mine",
        ]


def test_a_cell_names_the_workspace(jupyter: LiveServer):
    write_notebook(jupyter.root / "cells.ipynb", "1")
    with Kernel(jupyter, "cells.ipynb") as kernel:
        assert actor_in(jupyter, kernel)["workspace"] == "default"
        here, there = track(kernel, "here"), track(kernel, "there", ", workspace='vision'")
        runs = [run_of(jupyter, one) for one in (here, there)]
        assert [(run["workspace"], run["experiment_name"]) for run in runs] == [("default", "cells"), ("vision", "cells")]
        assert jupyter.get(f"/runs/{there}/snapshot/content", params={"path": "cells.ipynb"}).status_code == 200
        kernel.run("import os; os.environ['MLWS_WORKSPACE'] = 'vision'")
        assert run_of(jupyter, track(kernel, "by variable"))["workspace"] == "vision"
        kernel.run("%load_ext mlws")
        kernel.run("%%mlws_run -w default -n magic\nimport mlws; mlws.log_metric('m', 1); mlws.log_text('x', 'x.txt')")
        assert "by variable" in kernel.run("%mlws list").shows()
        assert "by variable" not in kernel.run("%mlws list -w default").shows()
        assert "magic" in kernel.run("%mlws list -w default").shows()
        assert kernel.run("%mlws open here -w default").shows().endswith(f"/mlws/open/runs/{here}")
        assert "Workspace  vision" in kernel.run("%mlws").shows()


def test_the_python_client_in_a_cell(jupyter: LiveServer):
    with Kernel(jupyter) as kernel:
        run_id = track(kernel, "there", ", workspace='vision'")
        found = "from jupyter_mlws import Workspace\nwith Workspace('vision') as ws: found = ws.runs.show({!r})\nfound"
        shown = kernel.run(found.format(run_id))
        assert f'href="/mlws/open/runs/{run_id}"' in shown.shows("text/html")
        assert kernel.value("found.workspace") == "vision"
        missing = kernel.fails("with Workspace('no-such') as ws: ws.show()")
        assert (missing.error, "mlws workspace create" in missing.message) == ("NotFound", True)


def test_what_a_dead_kernel_left_is_sent_by_one_of_another_workspace(jupyter: LiveServer):
    """A kernel that lives sends what others could not; each record says which workspace it is for."""
    with Kernel(jupyter) as dead, Kernel(jupyter) as alive:
        dead.run("import os; os.environ['MLWS_SPOOL_DIR'] += '-left'")  # where the server does not look
        dead.run("import mlws\nrun = mlws.start_run('left', workspace='vision'); assert mlws.flush()")
        run_id, pid = dead.value("run.id"), dead.value("os.getpid()")
        code = "os.environ['MLWS_URL'] = 'http://127.0.0.1:9/mlws'; os.environ['MLWS_DATA_DIR'] = '/nowhere'"
        dead.run(f"{code}\nimport mlws.sender as s\ns.sender().close()")
        dead.run("s._sender = None\nrun.log_metric('m', 1)\nrun.log_param('p', 1)\nmlws.flush(0.5)")
        kill(pid)
        alive.run("import os, mlws; os.environ['MLWS_SPOOL_DIR'] += '-left'")
        alive.run("with mlws.start_run(): pass")
        found = until(lambda: jupyter.ok("GET", f"/runs/{run_id}")["params"], 20, "the kernel that lives sends what was left")
        assert found == {"p": "1"}
        assert jupyter.ok("GET", f"/runs/{run_id}")["metrics"]["m"]["last"] == 1
        assert not list(Path(alive.value("os.environ['MLWS_SPOOL_DIR']")).glob("*.rejected"))
