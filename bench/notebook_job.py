"""A trivial notebook of ten cells as a job, from the submit until the run has ended, against papermill's command line.

    python bench/notebook_job.py [--rounds 7]

The job goes the whole way: snapshot, queue, supervisor, runner, kernel, its files stored; a real server runs it, and this process asks
for its status every 20 ms. A job with a spare kernel (before it, and before papermill, one is waited for, so that nobody is measured while
one is made; for the load of the machine none is put off), a job of a server without spares, and papermill run in turn, in this same
command. The ratios are ours / papermill's of the medians, and it says when our jobs got how far. Without papermill it exits 1.
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
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.live import WITH_LAB, LiveServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDED = ("Completed", "Failed", "Canceled")
POLL_S = 0.02
TARGET = 0.25
COLD_TARGET = 1.0
SPARE_WITHIN_S = 120.0


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


STAGES = ("answered", "Preparing", "Running", "Finalizing", "Completed")
Timed = tuple[float, dict[str, float]]
"""Seconds of one job, and milliseconds from its submit to each stage."""


def ours(client: httpx.Client, name: str) -> Timed:
    """One job, from its submit to its terminal status."""
    at, began = time.time(), time.perf_counter()
    answer = client.post("/workspaces/default/jobs", json={"spec": {"kind": "notebook", "notebook": name}})
    stages = {"answered": (time.perf_counter() - began) * 1000}
    run_id = answer.raise_for_status().json()["run"]["id"]
    while (status := client.get(f"/runs/{run_id}").json()["status"]) not in ENDED:
        time.sleep(POLL_S)
    took = time.perf_counter() - began
    if status != "Completed":
        sys.exit(client.get(f"/jobs/{run_id}/log").json()["text"])
    for change in client.get(f"/runs/{run_id}/history").json()["changes"]:
        stages[change["status"]] = change["at"] - at * 1000
    return took, stages


def papermill(folder: Path, source: Path, command: str) -> float:
    """Seconds of one papermill."""
    began = time.perf_counter()
    subprocess.run([command, "--no-progress-bar", str(source), str(folder / "out.ipynb")], check=True, capture_output=True)
    return time.perf_counter() - began


def spare_waits(client: httpx.Client) -> None:
    """Wait for the kernel of the next job."""
    until = time.monotonic() + SPARE_WITHIN_S
    while not client.get("/compute/local").json()["spares"]:
        if time.monotonic() > until:
            sys.exit(f"no spare kernel was ready within {SPARE_WITHIN_S:.0f} s")
        time.sleep(0.2)


@contextmanager
def served(folder: Path, option: str) -> Iterator[tuple[Path, httpx.Client]]:
    """A server with the notebook in its root folder, and a client that is signed in."""
    server = LiveServer(folder, options=[option], extensions=WITH_LAB).start()
    try:
        source = server.root / "in.ipynb"
        notebook(source)
        headers = {"Authorization": f"Bearer {server.owner()['token']}"}
        with httpx.Client(base_url=f"{server.url}/mlws/api/v1", headers=headers, timeout=60) as client:
            yield source, client
    finally:
        server.stop()


def measured(rounds: int, command: str) -> list[tuple[Timed, Timed, float]]:
    """(a job with a spare, a job without, seconds of papermill), so often."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with (
            served(folder / "spares", "--MlwsApp.spare_max_load=1000") as (source, client),
            served(folder / "none", "--MlwsApp.spare_kernels=0") as (_, cold),
        ):

            def one() -> tuple[Timed, Timed, float]:
                spare_waits(client)
                warm = ours(client, source.name)
                spare_waits(client)
                return warm, ours(cold, source.name), papermill(folder, source, command)

            ours(client, source.name)
            one()
            return [one() for _ in range(rounds)]


def main() -> int:
    """Measure, print, and say by the exit code whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    command = shutil.which("papermill", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if command is None:
        print("papermill is not installed: there is nothing to compare with")
        return 1
    names = ("papermill", "nbclient", "jupyter_client", "ipykernel")
    print(f"Python {platform.python_version()}", *(f"{name} {importlib.metadata.version(name)}" for name in names), sep=", ")
    spared, alone, peer = zip(*measured(rounds, command), strict=True)
    columns = [[took for took, _ in spared], [took for took, _ in alone], list(peer)]
    warm, cold, theirs = (statistics.median(column) for column in columns)
    for name, median, column in zip(("with a spare", "without", "papermill"), (warm, cold, theirs), columns, strict=True):
        print(f"{name:<15}{median:.2f} s  (min {min(column):.2f})")
    print(f"\n{'ms from submit':<15}{'with a spare':>14}{'without':>10}")
    for stage in STAGES:
        medians = (statistics.median(stages[stage] for _, stages in jobs) for jobs in (spared, alone))
        print(f"{stage:<15}{next(medians):>14.0f}{next(medians):>10.0f}")
    print(f"\n{'ratio':<15}{warm / theirs:.2f}  (target {TARGET}); without a spare {cold / theirs:.2f}  (target {COLD_TARGET})")
    return int(warm > TARGET * theirs or cold > COLD_TARGET * theirs)


if __name__ == "__main__":
    sys.exit(main())
