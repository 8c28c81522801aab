"""The client in any interpreter: what importing it costs and needs."""

from __future__ import annotations

import ast
import json
import os
import shutil
import statistics
import subprocess
import sys
import venv
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "jupyter_mlws" / "kernel_path" / "mlws"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TOKEN = "mlws_test"


def test_importing_costs_less_than_its_budget(python):
    code = "import time; a = time.perf_counter(); import mlws; print((time.perf_counter() - a) * 1000)"
    took = [float(python(code).stdout) for _ in range(5)]
    assert statistics.median(took) < 60, took


def test_importing_loads_nothing_else(python):
    code = "import sys; before = set(sys.modules); import mlws; print(sorted(set(sys.modules) - before))"
    assert python(code).stdout.strip() in ("['mlws']", "['atexit', 'mlws']")


def test_every_public_name_is_there_and_documented(mlws):
    for name in mlws.__all__:
        assert getattr(mlws, name).__doc__, name
    assert set(mlws.__all__) <= set(dir(mlws))
    with pytest.raises(AttributeError, match="log_metrik"):
        mlws.log_metrik  # noqa: B018


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_sources_hold_for_python_3_8(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    for name in names:
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or top == "mlws", f"{path.name} imports {name}"


def before_3_10():
    """An interpreter between 3.8 and 3.9 of this machine, or None."""
    installed = sorted((Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob("3.[89].*/bin/python"))
    for each in [*installed, shutil.which("python3.8"), shutil.which("python3.9")]:
        if each and subprocess.run([each, "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(each)
    return None


@pytest.mark.skipif(before_3_10() is None, reason="there is no Python 3.8 or 3.9 here")
def test_it_works_in_an_old_python(places, server, tracker):
    """Where `operator.index(True)` is True, not 1."""
    code = (
        "import enum, mlws\n"
        "class At(enum.IntEnum): END = 7\n"
        "with mlws.start_run() as run:\n"
        "    for i in range(5): mlws.log_metric('a', i, step=i)\n"
        "    mlws.log_metric('b', 1, step=True); mlws.log_metric('b', 2, step=At.END)\n"
    )
    done = subprocess.run(
        [str(before_3_10()), "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "MLWS_URL": server.url, "MLWS_TOKEN": TOKEN},
        cwd=places,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(point[:3] for point in tracker.only()["points"]) == [
        *[("a", float(i), i) for i in range(5)],
        ("b", 1.0, 1),
        ("b", 2.0, 7),
    ]


def test_it_works_isolated_and_without_site_packages(places, server, tracker):
    code = (
        "import sys; sys.path.append(sys.argv[1]); import mlws\n"
        "with mlws.start_run('bare') as run: mlws.log_metric('a', 1)\n"
        "assert not [m for m in sys.modules if m.startswith(('jupyter', 'numpy'))]\n"
    )
    env = {"MLWS_URL": server.url, "MLWS_TOKEN": TOKEN, "MLWS_DATA_DIR": str(places), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(PACKAGE.parent)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert tracker.only()["points"][0][:2] == ("a", 1)


@pytest.mark.slow
def test_it_works_in_a_venv_with_another_numpy(places, server, tracker):
    """The venv's `numpy` is a stand-in of another version, whose scalars convert by `__float__` alone."""
    venv.create(places / "venv", with_pip=False)
    python = places / "venv" / "bin" / "python"
    site = next((places / "venv" / "lib").glob("python*/site-packages"))
    (site / "numpy.py").write_text(
        "__version__ = '0.1'\nclass float64:\n    def __init__(self, v): self.v = v\n    def __float__(self): return self.v\n"
    )
    (site / "numpy-0.1.dist-info").mkdir()
    (site / "numpy-0.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.1\n")
    code = (
        "import numpy, mlws, json\n"
        "with mlws.start_run() as run: mlws.log_metric('a', numpy.float64(0.5)); mlws.log_table({'a': [1]}, 't.csv')\n"
        "try:\n    import jupyter_mlws\n    raise SystemExit('jupyter_mlws is there')\nexcept ImportError: pass\n"
        "print(json.dumps([numpy.__version__, run.name]))\n"
    )
    env = {"MLWS_URL": server.url, "MLWS_TOKEN": TOKEN, "MLWS_DATA_DIR": str(places), "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [python, "-c", code],
        env={**env, "PATH": os.environ["PATH"]},
        cwd=places,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    stored = tracker.only()
    assert json.loads(done.stdout) == ["0.1", "run-1"]
    assert stored["points"][0][1] == 0.5
    assert stored["environment"]["packages"]["numpy"] == "0.1"
    assert stored["environment"]["executable"] == str(python)


def test_the_command_line_helps(python):
    for args, wanted in ((["-h"], "sync"), ([], "usage"), (["status"], "Workspace  default")):
        done = subprocess.run(
            [sys.executable, "-m", "mlws", *args],
            env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "MLWS_URL": "http://127.0.0.1:9/mlws"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert wanted in done.stdout


def test_the_server_is_found_by_the_environment_then_the_owner_file(places, monkeypatch, owner_file):
    from mlws import connection

    def found():
        server = connection.find_server()
        return server and server[:2]

    assert found() is None
    owner_file("http://127.0.0.1:1234/lab/mlws", "t1")
    assert found() == ("http://127.0.0.1:1234/lab/mlws", "t1")
    owner_file("http://127.0.0.1:1234/lab", "t1")
    assert found() == ("http://127.0.0.1:1234/lab/mlws", "t1")
    monkeypatch.setenv("MLWS_URL", "https://hub.example/user/me/mlws/")
    monkeypatch.delenv("MLWS_SPOOL_DIR")
    assert found() == ("https://hub.example/user/me/mlws", "")
    assert connection.spool_folder() == str(places / "data" / "spool" / "hub.example")
    assert connection.open_link("runs", "a b") == "https://hub.example/user/me/mlws/open/runs/a%20b"
    monkeypatch.setenv("MLWS_TOKEN", "mlws_x.kernel")  # the server that started this kernel: the browser is on it
    assert connection.open_link("runs", "a b") == "/user/me/mlws/open/runs/a%20b"
    assert connection.open_url("runs", "a b") == "https://hub.example/user/me/mlws/open/runs/a%20b"
    monkeypatch.delenv("MLWS_DATA_DIR")
    monkeypatch.setenv("MLWS_JOB_DIR", str(places / "else" / "jobs" / "x"))
    assert connection.data_folder() == str(places / "else")
    monkeypatch.delenv("MLWS_JOB_DIR")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(places / "jd"))
    assert connection.data_folder() == str(places / "jd" / "mlws")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{}", '{"url": null}', '{"url": "http://127.0.0.1:1", "host": "another machine"}']
)
def test_an_owner_file_without_sense_is_no_server(places, text):
    from mlws import connection

    (places / "data" / "owner.json").write_text(text)
    assert connection.from_owner_file() is None
