"""A trivial notebook of ten cells as a job, from the submit until the run has ended, against papermill's command line.

    python bench/notebook_job.py [--rounds 7]

The job goes the whole way: snapshot, queue, supervisor, runner, kernel, its files stored; a real server runs it, and this process asks
for its status every 20 ms. Both run in turn, in this same command; the ratio is ours / papermill's of the medians. Without papermill it
exits 1.
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

import httpx

from tests.live import LiveServer

ENDED = ("Completed", "Failed", "Canceled")
POLL_S = 0.02


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


def ours(client: httpx.Client, name: str) -> float:
    """Seconds of one job, from its submit to its terminal status."""
    began = time.perf_counter()
    answer = client.post("/workspaces/default/jobs", json={"spec": {"kind": "notebook", "notebook": name}})
    run_id = answer.raise_for_status().json()["run"]["id"]
    while (status := client.get(f"/runs/{run_id}").json()["status"]) not in ENDED:
        time.sleep(POLL_S)
    took = time.perf_counter() - began
    if status != "Completed":
        sys.exit(client.get(f"/jobs/{run_id}/log").json()["text"])
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
        server = LiveServer(folder).start()
        try:
            source = server.root / "in.ipynb"
            notebook(source)
            headers = {"Authorization": f"Bearer {server.owner()['token']}"}
            with httpx.Client(base_url=f"{server.url}/mlws/api/v1", headers=headers, timeout=60) as client:
                ours(client, source.name)
                papermill(folder, source, command)
                pairs = [(ours(client, source.name), papermill(folder, source, command)) for _ in range(rounds)]
        finally:
            server.stop()
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"as a job       {mine:.2f} s  (min {min(p[0] for p in pairs):.2f})")
    print(f"papermill      {theirs:.2f} s  (min {min(p[1] for p in pairs):.2f})")
    print(f"ratio          {mine / theirs:.2f}  (target 1.0)")
    return int(mine > theirs)


if __name__ == "__main__":
    sys.exit(main())
