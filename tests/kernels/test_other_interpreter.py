"""A kernel whose interpreter is a virtual environment of its own: without jupyter_mlws, and with another numpy than the server's."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.live import LiveServer, write_notebook
from tests.live_kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def needed_by(name: str, found: dict[str, Distribution] | None = None) -> dict[str, Distribution]:
    """A distribution and all that it requires here."""
    found = {} if found is None else found
    if name not in found:
        found[name] = distribution(name)
        for text in found[name].requires or []:
            one = Requirement(text)
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                needed_by(one.name, found)
    return found


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a new virtual environment. Its numpy is installed; ipykernel is linked, since installing it takes a minute."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    packages = next((folder / "lib").glob("python3*")) / "site-packages"
    for one in needed_by("ipykernel").values():
        for top in {file.parts[0] for file in one.files or [] if not file.is_absolute()} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(one.locate_file(top))))
    wanted = f"numpy<{version('numpy')}"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-compile", wanted]
    subprocess.run([*command, "--only-binary=:all:"], check=True, timeout=240)
    return python


@pytest.fixture(scope="module")
def kernel(jupyter: LiveServer, interpreter: Path) -> Iterator[Kernel]:
    """A kernel of that interpreter. What a developer's shell has in PYTHONPATH is left out; what our server adds stands last."""
    start = f'PYTHONPATH="${{PYTHONPATH##*:}}" exec {interpreter} -m ipykernel_launcher -f "$0"'
    spec = {"argv": ["sh", "-c", start, "{connection_file}"], "display_name": "Other", "language": "python"}
    folder = jupyter.folder / "jupyter" / "kernels" / "other"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    write_notebook(jupyter.root / "elsewhere.ipynb", "1", kernel="other")
    with Kernel(jupyter, "elsewhere.ipynb", name="other") as made:
        yield made


def test_it_is_another_interpreter(kernel: Kernel, interpreter: Path):
    kernel.run("import sys, importlib.util, numpy, mlws")
    assert kernel.value("sys.prefix") == str(interpreter.parents[1])
    assert kernel.value("numpy.__version__") != version("numpy")
    for name in ("jupyter_mlws", "httpx", "msgspec", "sqlalchemy", "jupyter_server"):
        assert kernel.value(f"importlib.util.find_spec({name!r}) is None"), name


def test_runs_are_tracked_from_there(jupyter: LiveServer, kernel: Kernel, interpreter: Path):
    kernel.run("import numpy, mlws\nwith mlws.start_run('there') as run:\n    mlws.log_metric('loss', numpy.float32(0.5))")
    run = jupyter.ok("GET", f"/runs/{kernel.value('run.id')}")
    assert (run["status"], run["experiment_name"], run["metrics"]["loss"]["last"]) == ("Completed", "elsewhere", 0.5)
    environment = jupyter.ok("GET", f"/runs/{run['id']}/environment")
    assert environment["executable"] == str(interpreter)
    assert environment["packages"]["numpy"] == kernel.value("numpy.__version__")
    assert "jupyter_mlws" not in environment["packages"]


def test_magics_and_workspaces_work_there(jupyter: LiveServer, kernel: Kernel):
    kernel.run("%load_ext mlws")
    kernel.run("%%mlws_run -n cell -w vision\nimport numpy, mlws\nmlws.log_dict({'a': numpy.arange(3)}, 'a.json')")
    listed = jupyter.ok("GET", "/workspaces/vision/runs", params={"limit": 50})["runs"]
    run = next(run for run in listed if run["name"] == "cell")
    stored = jupyter.get(f"/runs/{run['id']}/artifacts/content", params={"path": "a.json"})
    assert stored.json() == {"a": [0, 1, 2]}
    assert "cell" in kernel.run("%mlws list -w vision").shows()
