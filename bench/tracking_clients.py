"""Tracking as people do it: a fit under autolog, two hundred clients at once, and what the server holds in memory while nobody asks.

    python -m bench.tracking_clients [autolog|many|idle ...] [--seconds 120]

The fit is done by the real client (`.venv-mlflow`) against both servers; what its requests take is counted, not what it does by itself
(it looks for the packages that a model needs for seconds). The two hundred
clients log a point a second each, over connections that are kept; meanwhile a kernel's websocket is asked and its answers are timed, as
before without them, and at the end every point that was acknowledged is read back. Exit code 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

from bench.mlflow_peer import Peer, stock_client
from bench.startup import start_once
from bench.tracking import MISSED, both, row, within
from tests.live import WITH_LAB, LiveServer
from tests.live_kernel import Kernel

CLIENTS = 200
FIT = """
import json, logging, os, sys, time, warnings
warnings.simplefilter("ignore")
import mlflow, requests
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
logging.disable(logging.CRITICAL)
X, y = load_digits(return_X_y=True)

spent = [0.0, 0]
send = requests.Session.send

def timed(*args, **options):
    began = time.perf_counter()
    try:
        return send(*args, **options)
    finally:
        spent[0] += time.perf_counter() - began
        spent[1] += 1

def fit():
    spent[:] = 0.0, 0
    LogisticRegression(max_iter=30).fit(X, y)
    mlflow.flush_async_logging()
    return list(spent)

requests.Session.send = timed
mlflow.sklearn.autolog(silent=True)
fit()
print(json.dumps([fit() for _ in range(5)]))
"""


def autolog(peer: Peer) -> tuple[float, int]:
    """(milliseconds that the requests of a fit take, their number), the median of five."""
    seconds, counts = zip(*json.loads(stock_client(peer, FIT).splitlines()[-1]), strict=True)
    return statistics.median(seconds) * 1000, int(statistics.median(counts))


class Load:
    """Two hundred clients of one server, in a process of their own: whoever times the kernel's answers is not to wait for them."""

    def __init__(self, url: str, headers: dict[str, str], runs: list[str], seconds: float) -> None:
        self.parts = urlsplit(url)
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.runs, self.seconds = runs, seconds
        self.took: list[float] = []
        self.errors: list[str] = []
        self.acknowledged = [0] * len(runs)

    async def client(self, n: int) -> None:
        """One that logs a point a second."""
        await asyncio.sleep(n / len(self.runs))
        reader, writer = await asyncio.open_connection(self.parts.hostname, self.parts.port)
        path = f"{self.parts.path}/api/2.0/mlflow/runs/log-metric"
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            step = self.acknowledged[n]
            body = json.dumps({"run_id": self.runs[n], "key": "loss", "value": step / 7, "timestamp": 1 + step, "step": step})
            began = time.perf_counter()
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: {self.parts.netloc}\r\n{self.headers}Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
            answer = await reader.readexactly(length)
            self.took.append((time.perf_counter() - began) * 1000)
            if head.split(" ")[1] == "200":
                self.acknowledged[n] += 1
            else:
                self.errors.append(f"{head.splitlines()[0]} {answer[:200]!r}")
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - began)))
        writer.close()

    async def all(self) -> None:
        """All of them."""
        await asyncio.gather(*(self.client(n) for n in range(len(self.runs))))

    def run(self) -> Load:
        """The load, done."""
        asyncio.run(self.all())
        return self


def percentile(took: list[float], part: float) -> float:
    """The value below which so many are."""
    return sorted(took)[min(int(len(took) * part), len(took) - 1)]


def bench_many(folder: Path, seconds: float) -> None:
    """Two hundred clients, and a kernel's websocket meanwhile."""
    server = LiveServer(folder, extensions=WITH_LAB).start()
    try:
        token = server.ok("POST", "/tokens", {"workspace": "default"})["secret"]
        assert server.process is not None  # noqa: S101 - it was started
        headers = {"Authorization": f"Bearer {token}"}
        peer = Peer("jupyter_mlws", f"{server.url}/mlws", headers, server.process.pid, server.data_dir / "mlws.db")
        client = peer.client()
        runs = [client.run() for _ in range(CLIENTS)]
        quiet: list[float] = []
        echoes: list[float] = []
        with Kernel(server) as kernel, ProcessPoolExecutor(1, get_context("spawn")) as apart:
            kernel.value("1")
            while len(quiet) < 100:
                quiet.append(kernel.echo() * 1000)
                time.sleep(0.1)
            done = apart.submit(Load(peer.url, peer.headers, runs, seconds).run)
            while not done.done():
                echoes.append(kernel.echo() * 1000)
                time.sleep(0.2)
            load = done.result()
        lost = sum(
            abs(len(client.get(f"metrics/get-history?run_id={run}&metric_key=loss&max_results=25000").get("metrics", [])) - n)
            for run, n in zip(runs, load.acknowledged, strict=True)
        )
    finally:
        server.stop()
    for error in load.errors[:3]:
        print(error, file=sys.stderr)
    what = f"{CLIENTS} clients for {seconds:g} s"
    within(f"{what}: errors of {len(load.took):,} calls", len(load.errors), "", limit=0)
    within(f"{what}: p99", percentile(load.took, 0.99), "ms", limit=500)
    within(f"{what}: points lost or doubled", lost, "", limit=0)
    within(f"{what}: a kernel's websocket, p99 of {len(echoes)}", percentile(echoes, 0.99), "ms", limit=50)
    within(f"the same while nobody logs, p99 of {len(quiet)}", percentile(quiet, 0.99), "ms", limit=50)


def bench_idle(folder: Path) -> None:
    """What the extension adds to a Jupyter server that nobody asks."""
    found: dict[bool, list[float]] = {False: [], True: []}
    for n in range(3):
        for extension in (False, True):
            place = folder / f"idle-{n}-{extension}"
            place.mkdir(parents=True)
            found[extension].append(start_once(place, extension=extension)[1])
    within(
        "memory added to an idle Jupyter server", statistics.median(found[True]) - statistics.median(found[False]), "MB", limit=60
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["autolog", "many", "idle"])
    parser.add_argument("--seconds", type=float, default=120.0)
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}")
    print(f"{'':<52}{'ours':>12}{'mlflow':>12}")
    with tempfile.TemporaryDirectory(prefix="mlws-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if "autolog" in chosen.parts:
            with both(folder / "autolog", 1) as (mine, peer):
                (fast, count), (slow, _) = autolog(mine), autolog(peer)
                row(f"the {count} requests of a fit under autolog", fast, slow, "ms", ratio=2, more_is_better=False)
        if "many" in chosen.parts:
            bench_many(folder / "many", chosen.seconds)
        if "idle" in chosen.parts:
            bench_idle(folder)
    return int(bool(MISSED))


if __name__ == "__main__":
    sys.exit(main())
