"""What a large artifact costs: a 2 GB upload, its download and its zip, at how many MB/s and how much memory of the server.

Limits: less than 100 MB of extra memory for each, and another client's small requests answered within 250 ms (99th percentile)
all the while. A real server in its own process; the client is this process. Run it from the repository: `python -m bench.storage`
(`--mb 300` for a smaller file). Needs /proc.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.live import WITH_LAB, LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MB = 1024 * 1024
MEMORY_MB = 100
HEALTH_MS = 250


class Watch:
    """Memory of the server, and how long its other clients wait, while something goes on."""

    def __init__(self, server: LiveServer) -> None:
        self._proc = Path(f"/proc/{server.process.pid if server.process else 'self'}")
        self._server = server
        self._stop = threading.Event()
        self.waits: list[float] = []

    def memory(self, field: str) -> float:
        """A field of /proc/<pid>/status in MB."""
        line = next(line for line in (self._proc / "status").read_text().splitlines() if line.startswith(field + ":"))
        return int(line.split()[1]) / 1024

    def _ask(self) -> None:
        with httpx.Client() as client:
            while not self._stop.wait(0.02):
                start = time.perf_counter()
                client.get(f"{self._server.url}/mlws/api/v1/health", headers={"Authorization": f"Bearer {self._server.token}"})
                self.waits.append((time.perf_counter() - start) * 1000)

    def measure(self, work: Callable[[], int]) -> tuple[float, float, float]:
        """(MB/s, MB of extra memory, 99th percentile of the others' waits in ms) of `work`, which returns the bytes it moved."""
        (self._proc / "clear_refs").write_text("5")  # forget the peak so far
        before = self.memory("VmRSS")
        asking = threading.Thread(target=self._ask)
        asking.start()
        start = time.perf_counter()
        moved = work()
        took = time.perf_counter() - start
        self._stop.set()
        asking.join()
        return moved / took / MB, self.memory("VmHWM") - before, statistics.quantiles(self.waits, n=100)[98]


def content(size: int) -> Iterator[bytes]:
    """Bytes that hardly repeat, made cheaply."""
    piece = os.urandom(MB)
    for number in range(size // MB):
        yield number.to_bytes(8, "big") + piece[8:]


def run(server: LiveServer, size: int) -> bool:
    """Print the table; whether all limits held."""
    with httpx.Client(
        base_url=f"{server.url}/mlws/api/v1", headers={"Authorization": f"Bearer {server.token}"}, timeout=600
    ) as client:
        run_id = client.post("/workspaces/default/runs", json={}).raise_for_status().json()["id"]
        address = f"/runs/{run_id}/artifacts/content?path=outputs/large.bin"

        def upload() -> int:
            headers = {"Content-Length": str(size)}
            return int(client.put(address, content=content(size), headers=headers).raise_for_status().json()["size"])

        def download(path: str) -> int:
            with client.stream("GET", path) as answer:
                answer.raise_for_status()
                return sum(len(piece) for piece in answer.iter_raw(MB))

        client.put(f"/runs/{run_id}/artifacts/content?path=warm-up", content=b"x").raise_for_status()
        fine = True
        print(f"{size // MB} MB, one client, {os.cpu_count()} cores")
        print(f"{'':10}{'MB/s':>8}{'extra MB':>10}{'others p99 ms':>15}")
        rows: list[tuple[str, Callable[[], int]]] = [
            ("upload", upload),
            ("download", lambda: download(address)),
            ("zip", lambda: download(f"/runs/{run_id}/artifacts/zip?path=outputs")),
        ]
        for name, work in rows:
            speed, memory, wait = Watch(server).measure(work)
            print(f"{name:10}{speed:8.0f}{memory:10.1f}{wait:15.1f}", flush=True)
            fine = fine and memory < MEMORY_MB and wait < HEALTH_MS
    return fine


def main() -> int:
    """0 where all limits held, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=2048)
    size = parser.parse_args().mb * MB
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), extensions=WITH_LAB).start()
        try:
            fine = run(server, size)
        finally:
            server.stop()
    print(f"limits (< {MEMORY_MB} MB, < {HEALTH_MS} ms): {'held' if fine else 'NOT held'}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
