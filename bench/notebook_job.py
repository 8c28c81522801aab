"""A trivial notebook of ten cells: our job path (supervisor, runner, kernel) against papermill's command line.

    python bench/notebook_job.py [--rounds 7]

Both run in turn, in this same command; the ratio is ours / papermill's of the medians. Without papermill it exits 1.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KERNEL_PATH = Path(__file__).resolve().parents[1] / "jupyter_mlws" / "kernel_path"


def notebook(path: Path) -> None:
    """Write the notebook."""
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "source": f"x = {n}\nprint(x)",
            "outputs": [],
            "execution_count": None,
        }
        for n in range(10)
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernelspec, "language_info": {"name": "python"}}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}))


def ours(folder: Path, source: Path) -> float:
    """Seconds of one job, from the start of its supervisor to the end of it."""
    job_dir = folder / f"job{time.monotonic_ns()}"
    (job_dir / "work").mkdir(parents=True)
    job = {
        "version": 1,
        "argv": [sys.executable, "-m", "jupyter_mlws.runner.notebook", str(job_dir)],
        "cwd": str(job_dir / "work"),
        "env": dict(os.environ),
        "notebook": {"input": str(source), "kernel": None, "parameters": {}, "cwd": str(job_dir / "work")},
    }
    (job_dir / "job.json").write_text(json.dumps(job))
    began = time.perf_counter()
    subprocess.run([sys.executable, "-S", "-E", "-m", "mlws.supervise", str(job_dir)], cwd=KERNEL_PATH, check=True)
    took = time.perf_counter() - began
    if json.loads((job_dir / "exit.json").read_text())["exit_code"] != 0:
        sys.exit((job_dir / "user_logs" / "std_log.txt").read_text())
    return took


def papermill(folder: Path, source: Path, command: str) -> float:
    """Seconds of one papermill."""
    began = time.perf_counter()
    subprocess.run([command, "--no-progress-bar", str(source), str(folder / "out.ipynb")], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, and say by the exit code whether the target (1.0) is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    command = shutil.which("papermill", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if command is None:
        print("papermill is not installed: there is nothing to compare with")
        return 1
    names = ("papermill", "nbclient", "jupyter_client", "ipykernel")
    print(f"Python {platform.python_version()}", *(f"{name} {importlib.metadata.version(name)}" for name in names), sep=", ")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = folder / "in.ipynb"
        notebook(source)
        ours(folder, source)
        papermill(folder, source, command)
        pairs = [(ours(folder, source), papermill(folder, source, command)) for _ in range(rounds)]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"our job path   {mine:.2f} s  (min {min(p[0] for p in pairs):.2f})")
    print(f"papermill      {theirs:.2f} s  (min {min(p[1] for p in pairs):.2f})")
    print(f"ratio          {mine / theirs:.2f}  (target 1.0)")
    return int(mine > theirs)


if __name__ == "__main__":
    sys.exit(main())
