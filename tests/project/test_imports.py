"""What an import may pull in: names of modules instead of seconds, so that the answer does not depend on the machine."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from tests.project.files import ROOT, project_files

KERNEL_PATH = ROOT / "jupyter_mlws" / "kernel_path"
HEAVY = {
    "IPython",
    "alembic",
    "httpx",
    "ipykernel",
    "ipywidgets",
    "jsonschema",
    "jupyter_client",
    "jupyter_server",
    "jupyterlab",
    "matplotlib",
    "nbclient",
    "nbformat",
    "numpy",
    "pandas",
    "papermill",
    "pathspec",
    "requests",
    "sklearn",
    "sqlalchemy",
    "tornado",
    "zmq",
}
SERVER_ONLY = {"alembic", "jupyter_server", "jupyterlab", "numpy", "pandas", "papermill", "sqlalchemy", "tornado"}


def modules_after(statement: str, *flags: str) -> set[str]:
    """Top-level modules that are loaded after `statement` and were not before it."""
    code = f"import sys, json; before = set(sys.modules)\n{statement}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, *flags, "-c", code], cwd=ROOT / "docs", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import jupyter_mlws", HEAVY | {"msgspec"}),
        ("import mlws", HEAVY | {"msgspec", "jupyter_mlws"}),
        ("from jupyter_mlws import Workspace", SERVER_ONLY),
        ("import jupyter_mlws.cli", SERVER_ONLY),
        ("import jupyter_mlws.cli.db_commands", SERVER_ONLY | {"jupyter_core", "traitlets"}),
    ],
)
def test_imports_nothing_heavy(statement: str, unwanted: set[str]) -> None:
    assert modules_after(statement) & unwanted == set()


def test_mlws_needs_nothing_but_the_standard_library() -> None:
    """As in a kernel that has its own environment: no site-packages, only `kernel_path`."""
    loaded = modules_after(f"sys.path.append({str(KERNEL_PATH)!r}); import mlws; mlws.start_run", "-I", "-S")
    assert "mlws" in loaded
    assert {name for name in loaded - {"mlws"} if name not in sys.stdlib_module_names} == set()


def test_mlws_is_written_for_python_3_8() -> None:
    sources = [p for p in project_files(".py") if p.is_relative_to(KERNEL_PATH)]
    assert sources
    for path in sources:
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 8))
