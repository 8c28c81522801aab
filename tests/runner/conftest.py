"""Notebook jobs, run under real supervisors with real kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlws.domain.jobs.schemas import CellDelta

ROOT = Path(__file__).resolve().parents[2]
KERNEL_PATH = ROOT / "jupyter_mlws" / "kernel_path"
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def code(source: str, *tags: str) -> dict[str, Any]:
    """A code cell."""
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": [], "execution_count": None}


def markdown(source: str) -> dict[str, Any]:
    """A text cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: Any, kernelspec: Any = KERNELSPEC) -> dict[str, Any]:
    """A notebook of format 4.4; bare texts are code cells."""
    made = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernelspec} if kernelspec else {}, "cells": made}


class NotebookJob:
    """One notebook job."""

    def __init__(self, path: Path, content: Any, **section: Any) -> None:
        self.path = path
        work = path / "work"
        work.mkdir(parents=True)
        (work / "in.ipynb").write_text(content if isinstance(content, str) else json.dumps(content))
        fields = {"input": str(work / "in.ipynb"), "kernel": None, "parameters": {}, "cwd": str(work), **section}
        # The runner of this checkout, whichever one is installed.
        python_path = os.pathsep.join([str(ROOT), str(KERNEL_PATH)])
        env = {**os.environ, "MLWS_JOB_DIR": str(path), "MLWS_RUN_ID": "b" * 32, "PYTHONPATH": python_path}
        env.pop("PYTEST_CURRENT_TEST", None)  # with it ipykernel does not capture what subprocesses print
        argv = [sys.executable, "-m", "jupyter_mlws.runner.notebook", str(path)]
        job = {"version": 1, "run_id": "b" * 32, "attempt": 1, "kind": "notebook", "argv": argv, "cwd": str(work), "env": env}
        job.update({"timeout_s": None, "grace_s": 10, "heartbeat_s": 1, "log_limit_bytes": None, "notebook": fields})
        (path / "job.json").write_text(json.dumps(job))

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-S", "-E", "-m", "mlws.supervise", str(self.path)], cwd=KERNEL_PATH)

    def run(self) -> NotebookJob:
        assert self.start().wait(100) == 0
        return self

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text())

    @property
    def exit_code(self) -> int:
        found: int = self.json("exit.json")["exit_code"]
        return found

    @property
    def error(self) -> dict[str, Any]:
        result = self.json("result.json")
        assert result["ok"] is (result["error"] is None)
        return result["error"] or {}

    @property
    def log(self) -> str:
        return (self.path / "user_logs" / "std_log.txt").read_text()

    @property
    def cells(self) -> list[Any]:
        found: list[Any] = self.json("output.ipynb")["cells"]
        return found

    @property
    def deltas(self) -> list[CellDelta]:
        lines = (self.path / "notebook.jsonl").read_bytes().splitlines()
        return [msgspec.json.decode(line, type=CellDelta) for line in lines]


@pytest.fixture
def run_notebook(tmp_path):
    """Run cells as a notebook job to its end."""

    def run(*cells: Any, **section: Any) -> NotebookJob:
        return NotebookJob(tmp_path / "job", notebook(*cells), **section).run()

    return run


@pytest.fixture
def make_job(tmp_path):
    def make(content: Any, **section: Any) -> NotebookJob:
        return NotebookJob(tmp_path / "job", content, **section)

    return make
