"""Tracking by MLflow's protocol: this server against `mlflow server` 3.17.2, both started here, in the same run.

    python -m bench.tracking [log|batch|search|history ...] [--runs 10000] [--peer-workers 1] [--postgres]

Both are on SQLite, or with `--postgres` on one PostgreSQL server that is started here and syncs as it comes (all but
`search`; the peer then needs psycopg2: `.venv-mlflow/bin/pip install psycopg2-binary`).

Clients are bare HTTP connections that are kept, so that the server is what is measured; a whole history alone is read by the stock
client. Ours is asked with sign-in, the peer without, as it comes. CPU is that of the server's processes. Exit code 1 where a ratio is
missed. The peer lives in `.venv-mlflow` (`make .venv-mlflow/.stamp`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.mlflow_peer import Peer, fill_ours, fill_theirs, ours, stock_client, theirs
from tests.postgres import start_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOG_S = 6.0
POINTS = 1_000_000
MISSED: list[str] = []


def row(
    what: str, mine: float, peer: float, unit: str, *, ratio: float, more_is_better: bool = True, limit: float | None = None
) -> None:
    """Print a line, and note it if the ratio or the limit is missed."""
    found = (mine / peer if more_is_better else peer / mine) if peer and mine else float("nan")
    good = found >= ratio and (limit is None or (mine >= limit if more_is_better else mine <= limit))
    if not good:
        MISSED.append(what)
    print(
        f"{what:<52}{mine:>12,.1f}{peer:>12,.1f} {unit:<12}{found:>8.1f}x  (≥ {ratio:g}x){'' if good else '  MISSED'}", flush=True
    )


def within(what: str, mine: float, unit: str, *, limit: float) -> None:
    """Print a line of what has a limit and no peer, and note it if it is over."""
    good = mine <= limit
    if not good:
        MISSED.append(what)
    print(f"{what:<52}{mine:>12,.1f}{'':>12} {unit:<12}{'':>8}   (≤ {limit:g}){'' if good else '  MISSED'}", flush=True)


@contextlib.contextmanager
def both(folder: Path, workers: int, databases: tuple[Path, Path] | None = None) -> Iterator[tuple[Peer, Peer]]:
    """Both servers, on SQLite."""
    own, other = databases if databases is not None else (None, None)
    with ours(folder / "ours", own) as mine, theirs(folder / "theirs", other, workers) as peer:
        yield mine, peer


@contextlib.contextmanager
def both_on_postgres(folder: Path, workers: int) -> Iterator[tuple[Peer, Peer]]:
    """Both servers, on databases of their own of one PostgreSQL server."""
    server = start_postgres({"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"})
    try:
        urls = server.new_database(), server.new_database().set(drivername="postgresql+psycopg2")
        own, other = (url.render_as_string(hide_password=False) for url in urls)
        mine_of = ours(folder / "ours", environment={"MLWS_DATABASE_URL": own})
        with mine_of as mine, theirs(folder / "theirs", workers=workers, url=other) as peer:
            yield mine, peer
    finally:
        server.stop()


# Single points


def calls_per_second(peer: Peer, clients: int) -> tuple[float, float]:
    """(log-metric calls a second, ms of the server's CPU a call) of so many clients, each with a run of its own."""
    runs = [peer.client().run() for _ in range(clients)]
    done = [0] * clients
    end = time.perf_counter() + LOG_S

    def log(n: int) -> None:
        client, step = peer.client(), 0
        while time.perf_counter() < end:
            body = {"run_id": runs[n], "run_uuid": runs[n], "key": "loss", "value": step / 7, "timestamp": 1 + step, "step": step}
            client.ask("POST", "runs/log-metric", body)
            step += 1
        done[n] = step

    threads = [threading.Thread(target=log, args=(n,)) for n in range(clients)]
    cpu, began = peer.cpu(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    return sum(done) / took, (peer.cpu() - cpu) * 1000 / sum(done)


def bench_log(mine: Peer, peer: Peer) -> None:
    """log-metric, one client and eight."""
    for clients, ratio in ((1, 5.0), (8, 10.0)):
        (fast, cpu), (slow, other_cpu) = calls_per_second(mine, clients), calls_per_second(peer, clients)
        row(f"log-metric, {clients} client{'s' * (clients > 1)}", fast, slow, "calls/s", ratio=ratio)
        row(
            f"log-metric, {clients} client{'s' * (clients > 1)}: server CPU",
            cpu, other_cpu, "ms a call", ratio=1, more_is_better=False, limit=1.5,
        )  # fmt: skip


# Batches


def points_per_second(peer: Peer, *, distinct: bool) -> float:
    """Metrics a second in batches of 1,000."""
    client = peer.client()
    run, sent, began, step = client.run(), 0, time.perf_counter(), 0
    while time.perf_counter() < began + LOG_S:
        metrics = [
            {
                "key": f"m{n}" if distinct else "m",
                "value": n / 7,
                "timestamp": 1 + step + n,
                "step": step + (0 if distinct else n),
            }
            for n in range(1000)
        ]
        client.ask("POST", "runs/log-batch", {"run_id": run, "metrics": metrics})
        step += 1 if distinct else 1000
        sent += 1000
    return sent / (time.perf_counter() - began)


def bench_batch(mine: Peer, peer: Peer) -> None:
    """log-batch of 1,000 points."""
    for distinct, ratio in ((False, 10.0), (True, 5.0)):
        fast, slow = points_per_second(mine, distinct=distinct), points_per_second(peer, distinct=distinct)
        words = "distinct keys" if distinct else "one key"
        row(f"log-batch of 1,000, {words}", fast, slow, "points/s", ratio=ratio, limit=None if distinct else 50_000)


# Searches


def timed(ask: Callable[[], object], times: int) -> tuple[float, float]:
    """(median, 95th percentile) in ms."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return statistics.median(took), took[max(0, int(len(took) * 0.95) - 1)]


def searching(peer: Peer, **body: object) -> Callable[[], object]:
    """A search of the first 100 runs."""
    client = peer.client()
    return lambda: client.ask("POST", "runs/search", {"experiment_ids": [experiment(peer)], "max_results": 100, **body})


def experiment(peer: Peer) -> str:
    """The experiment that was filled."""
    return "0" if peer.name == "mlflow server" else "1"


def paging(peer: Peer) -> float:
    """Seconds to read all runs, 1,000 at a time."""
    client, token, began, found = peer.client(), None, time.perf_counter(), 0
    while True:
        body = {"experiment_ids": [experiment(peer)], "max_results": 1000}
        answer = client.post("runs/search", body if token is None else {**body, "page_token": token})
        found += len(answer.get("runs", []))
        token = answer.get("next_page_token")
        if token is None:
            return time.perf_counter() - began


FILTERED = {"filter": "metrics.acc > 0.5 and params.lr = '3'", "order_by": ["metrics.loss ASC"]}
ORDERED = {"order_by": ["metrics.acc DESC"]}


def bench_search(folder: Path, runs: int, workers: int) -> None:
    """Searches of many runs."""
    own, other = empty_databases(folder / "empty")
    fill_ours(own, runs)
    fill_theirs(other, runs)
    with both(folder / "search", workers, (own, other)) as (mine, peer):
        for words, body, ratio, tries in (
            ("filter and order by metrics", FILTERED, 10.0, 8),
            ("order by a metric", ORDERED, 100.0, 3),
        ):
            (fast, late), (slow, _) = timed(searching(mine, **body), 40), timed(searching(peer, **body), tries)
            row(f"search 100 of {runs:,}: {words}", fast, slow, "ms", ratio=ratio, more_is_better=False)
            within(f"search 100 of {runs:,}: {words}, p95", late, "ms", limit=50)
        paging(mine)
        row(f"all {runs:,} by 1,000", paging(mine), paging(peer), "s", ratio=5, more_is_better=False)
    own, _ = empty_databases(folder / "empty100")
    fill_ours(own, runs * 10)
    with ours(folder / "search100", own) as mine:
        for words, body in (("filter and order by metrics", FILTERED), ("order by a metric", ORDERED)):
            _, late = timed(searching(mine, **body), 40)
            within(f"search 100 of {runs * 10:,}: {words}, p95", late, "ms", limit=100)


def empty_databases(folder: Path) -> tuple[Path, Path]:
    """Databases that each server has made for itself."""
    with ours(folder / "ours") as mine, theirs(folder / "theirs") as peer:
        return mine.database, peer.database  # both servers close them when they stop


# Histories


READ_ALL = """
import json, sys, time
from mlflow import MlflowClient
client = MlflowClient()
began = time.perf_counter()
found = client.get_metric_history(sys.argv[1], "m")
print(json.dumps([time.perf_counter() - began, len(found)]))
"""


def fill_history(peer: Peer) -> str:
    """A run with a metric of a million points."""
    client = peer.client()
    run = client.run()
    for start in range(0, POINTS, 1000):
        metrics = [{"key": "m", "value": n % 997 / 7, "timestamp": n + 1, "step": n} for n in range(start, start + 1000)]
        client.ask("POST", "runs/log-batch", {"run_id": run, "metrics": metrics})
    return run


def bench_history(mine: Peer, peer: Peer) -> None:
    """A metric of a million points."""
    on_files = mine.database.exists() and peer.database.exists()
    before = {server.name: server.database.stat().st_size if on_files else 0 for server in (mine, peer)}
    runs = {server.name: fill_history(server) for server in (mine, peer)}
    sizes, took, cpu, wall = {}, {}, {}, {}
    for server in (mine, peer):
        client, run = server.client(), runs[server.name]
        ask = f"metrics/get-history-bulk-interval?run_ids={run}&metric_key=m&start_step=0&end_step={POINTS}&max_results=320"
        took[server.name] = timed(lambda client=client, ask=ask: client.ask("GET", ask), 3)[0]  # type: ignore[misc]
        used = server.cpu()
        seconds, count = json.loads(stock_client(server, READ_ALL, run))
        if count != POINTS:
            raise SystemExit(f"{server.name} has {count} points of {POINTS}")
        cpu[server.name], wall[server.name] = server.cpu() - used, seconds
        sizes[server.name] = (server.database.stat().st_size - before[server.name]) / 1e6 if on_files else 0.0
    row("320 points of 1,000,000", took[mine.name], took[peer.name], "ms", ratio=40, more_is_better=False, limit=50)
    row("all 1,000,000 points, the stock client", wall[mine.name], wall[peer.name], "s", ratio=3, more_is_better=False)
    row("all 1,000,000 points: server CPU", cpu[mine.name], cpu[peer.name], "s", ratio=10, more_is_better=False)
    if on_files:
        row("size of 1,000,000 points", sizes[mine.name], sizes[peer.name], "MB", ratio=5, more_is_better=False)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["log", "batch", "search", "history"])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--peer-workers", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    chosen = parser.parse_args()
    database = "PostgreSQL" if chosen.postgres else "SQLite"
    print(f"Python {platform.python_version()}, {database}, {time.strftime('%Y-%m-%d')}")
    print(f"{'':<52}{'ours':>12}{'mlflow':>12}")
    with tempfile.TemporaryDirectory(prefix="mlws-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        live = [part for part in ("log", "batch", "history") if part in chosen.parts]
        if live:
            with (both_on_postgres if chosen.postgres else both)(folder / "live", chosen.peer_workers) as (mine, peer):
                for part in live:
                    {"log": bench_log, "batch": bench_batch, "history": bench_history}[part](mine, peer)
                row("memory", mine.memory_mb(), peer.memory_mb(), "MB", ratio=1, more_is_better=False)
        if "search" in chosen.parts and not chosen.postgres:
            bench_search(folder, chosen.runs, chosen.peer_workers)
    return int(bool(MISSED))


if __name__ == "__main__":
    sys.exit(main())
