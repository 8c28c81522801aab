"""How long the queries of a run page take for a run with 100,000 metric points (limit: 500 ms each, the slowest of all tries).

Ten metrics of 10,000 points each, logged in batches over the REST API, and once more in a single metric of 100,000. A real server
in its own process; the client is this process. Run it from the repository: `python -m bench.run_page`. Exit code 1 over the limit.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.live import WITH_LAB, LiveServer

POINTS = 100_000
BATCH = 10_000
TRIES = 20
LIMIT_MS = 500.0


def make_run(client: httpx.Client, keys: int) -> str:
    """A run whose points are spread over so many metrics."""
    run_id = str(client.post("/workspaces/default/runs", json={"name": f"{keys} metrics"}).raise_for_status().json()["id"])
    for start in range(0, POINTS, BATCH):
        places = range(start // keys, (start + BATCH) // keys)
        metrics = [{"key": f"m{k}", "value": (n * 7919 % 1000) / 1000, "step": n, "time": n} for n in places for k in range(keys)]
        client.post(f"/runs/{run_id}/log", json={"batch_id": f"batch-{start:07}", "metrics": metrics}).raise_for_status()
    return run_id


def measure(client: httpx.Client, path: str, query: dict[str, Any]) -> tuple[float, float]:
    """(median, slowest) in ms."""
    times = []
    for _ in range(TRIES):
        start = time.perf_counter()
        client.get(path, params=query).raise_for_status()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), max(times)


def main() -> int:
    """Print the table."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), extensions=WITH_LAB).start()
        headers = {"Authorization": f"Bearer {server.token}"}
        try:
            with httpx.Client(base_url=f"{server.url}/mlws/api/v1", headers=headers, timeout=60) as client:
                print(f"{'query':44}{'metrics':>8}{'median ms':>11}{'slowest ms':>12}")
                for keys in (10, 1):
                    run_id = make_run(client, keys)
                    names = [f"m{k}" for k in range(keys)]
                    for path, query in [
                        ("", {}),
                        ("/metrics", {}),
                        ("/metrics/series", {"key": names}),
                        ("/metrics/history", {"key": names[0], "limit": 1000}),
                    ]:
                        median, slowest = measure(client, f"/runs/{run_id}{path}", query)
                        worst = max(worst, slowest)
                        print(f"{'GET /runs/{id}' + path:44}{keys:>8}{median:>11.1f}{slowest:>12.1f}")
        finally:
            server.stop()
    print(f"limit {LIMIT_MS:.0f} ms: {'kept' if worst <= LIMIT_MS else 'not kept'}")
    return 0 if worst <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
