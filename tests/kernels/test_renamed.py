"""A notebook is renamed or moved while its kernel runs: where its next runs go, and what they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer, write_notebook
from tests.live_kernel import Kernel
from tests.servers import lean

pytestmark = pytest.mark.slow

TRACK = "import mlws\nwith mlws.start_run() as run: mlws.log_metric('m', 1)\nassert run.flush(), run"
NOTEBOOK_FILE = "__import__('os').environ['MLWS_NOTEBOOK_FILE']"


def tracked(server: LiveServer, kernel: Kernel) -> tuple[dict[str, Any], list[str]]:
    """A run of a cell, and the files of its snapshot."""
    kernel.run(TRACK)
    run: dict[str, Any] = server.ok("GET", f"/runs/{kernel.value('run.id')}")
    files = server.ok("GET", f"/runs/{run['id']}/snapshot", params={"recursive": "true"})["entries"]
    return run, sorted(one["path"] for one in files if one["type"] == "file")


def test_runs_follow_their_notebook(jupyter: LiveServer):
    write_notebook(jupyter.root / "before.ipynb", "1")
    (jupyter.root / "moved").mkdir()
    with Kernel(jupyter, "before.ipynb") as kernel:
        for path in ("before.ipynb", "after π.ipynb", "moved/after π.ipynb"):
            if path != "before.ipynb":
                kernel.rename(path)
            run, files = tracked(jupyter, kernel)
            name = path.rpartition("/")[2]
            assert (run["experiment_name"], run["source"]) == (name.removesuffix(".ipynb"), str(jupyter.root / path))
            assert files == sorted([name, "executed.py"])


def test_runs_follow_their_notebook_through_a_restart(jupyter: LiveServer):
    write_notebook(jupyter.root / "first.ipynb", "1")
    with Kernel(jupyter, "first.ipynb") as kernel:
        kernel.rename("second.ipynb")
        kernel.restart()
        run, _ = tracked(jupyter, kernel)
        assert (run["experiment_name"], run["source"]) == ("second", str(jupyter.root / "second.ipynb"))


def test_the_path_of_the_client_stays_through_a_restart(tmp_path: Path):
    """Where the server has a PYTHONPATH of its own, which Jupyter hands to the kernel of a renamed notebook anew."""
    project = str(Path(__file__).parents[2])
    server = lean(tmp_path, environment={"PYTHONPATH": project}).start()
    try:
        write_notebook(server.root / "first.ipynb", "1")
        with Kernel(server, "first.ipynb") as kernel:
            kernel.rename("second.ipynb")
            kernel.restart()
            path = kernel.value("__import__('os').environ['PYTHONPATH']").split(":")
    finally:
        server.stop()
    assert path == [project, f"{project}/jupyter_mlws/kernel_path"]


def test_the_file_that_tells_goes_with_the_kernel(jupyter: LiveServer):
    write_notebook(jupyter.root / "told.ipynb", "1")
    with Kernel(jupyter, "told.ipynb") as kernel:
        file = Path(kernel.value(NOTEBOOK_FILE))
        assert file.read_text() == str(jupyter.root / "told.ipynb")
        kernel.shut_down()
    assert not file.exists()


def test_a_name_that_was_set_by_hand_stays(jupyter: LiveServer):
    write_notebook(jupyter.root / "a.ipynb", "1")
    with Kernel(jupyter, "a.ipynb") as kernel:
        kernel.run("import os; os.environ['MLWS_EXPERIMENT'] = 'by hand'")
        kernel.rename("b.ipynb")
        run, _ = tracked(jupyter, kernel)
        assert (run["experiment_name"], run["source"]) == ("by hand", str(jupyter.root / "b.ipynb"))
