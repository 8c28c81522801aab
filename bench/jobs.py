"""What a job costs besides its own work: the way to its first output, many short ones, a dispatcher with nothing to do, a long queue.

    python -m bench.jobs [first burst idle queue notebook ...]

A real server in its own process; the client is this process. CPU is that of the server alone. Exit code 1 where a limit is missed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bench import notebook_job
from tests.live import WITH_LAB, LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRSTS = 20
BURST = 100
SLOTS = 2
IDLE_S = 60.0
QUEUED = 10_000
SUBMITTERS = 4
ENDED = ("Completed", "Failed", "Canceled")
missed: list[str] = []


def row(what: str, value: float, unit: str, limit: float, *, least: bool = False) -> None:
    """Print a line, and note it if it is beyond its limit (`least`: the value must be at least that)."""
    good = value >= limit if least else value <= limit
    if not good:
        missed.append(what)
    print(f"{what:<66}{value:>10.2f} {unit:<8}({'≥' if least else '≤'} {limit:g}){'' if good else '  MISSED'}", flush=True)


@contextmanager
def served(*options: str) -> Iterator[tuple[LiveServer, httpx.Client]]:
    """A server, and a client that is signed in."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), options=list(options), extensions=WITH_LAB).start()
        try:
            headers = {"Authorization": f"Bearer {server.owner()['token']}"}
            with httpx.Client(base_url=f"{server.url}/mlws/api/v1", headers=headers, timeout=60) as client:
                yield server, client
        finally:
            server.stop()


def submit(client: httpx.Client, command: str, **more: Any) -> str:
    """The run id of a command job."""
    body = {"spec": {"kind": "command", "command": command}, **more}
    return str(client.post("/workspaces/default/jobs", json=body).raise_for_status().json()["run"]["id"])


def wait(client: httpx.Client, run_id: str, every: float = 0.02) -> dict[str, Any]:
    """The run, once it has ended."""
    while (run := client.get(f"/runs/{run_id}").json())["status"] not in ENDED:
        time.sleep(every)
    return dict(run)


def bench_first() -> None:
    """From the submit of a command that prints the time, to that moment; and until a client can read it."""
    printed, read = [], []
    with served() as (_, client):
        wait(client, submit(client, "true"))
        for _ in range(FIRSTS):
            began = time.time()
            run_id = submit(client, "date +%s.%N; sleep 0.5")
            while not (text := client.get(f"/jobs/{run_id}/log").json()["text"]):
                time.sleep(0.005)
            read.append((time.time() - began) * 1000)
            printed.append((float(text) - began) * 1000)
            wait(client, run_id)
    row(f"submit of a command → it prints, median of {FIRSTS}", statistics.median(printed), "ms", 400)
    row("submit of a command → a client reads it, median", statistics.median(read), "ms", 400)


def bench_burst() -> None:
    """Trivial command jobs on two slots, from the first submit until the last has ended."""
    with served(f"--MlwsApp.max_jobs={SLOTS}") as (_, client):
        wait(client, submit(client, "true"))
        began = time.perf_counter()
        ids = [submit(client, "true") for _ in range(BURST)]
        queued = time.perf_counter() - began
        ended = [wait(client, run_id, 0.05)["status"] for run_id in ids]
        took = time.perf_counter() - began
        if set(ended) != {"Completed"}:
            sys.exit(f"of {BURST} jobs some did not complete: {set(ended)}")
    print(f"  (the submits alone: {queued:.1f} s)")
    row(f"{BURST} trivial command jobs on {SLOTS} slots", BURST / took, "jobs/s", 10, least=True)


def _cpu_s(server: LiveServer) -> float:
    if server.process is None:
        sys.exit("the server does not run")
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def bench_idle() -> None:
    """CPU of a server that has nothing to do, against one without us."""

    def idle(server: LiveServer) -> float:
        before = _cpu_s(server)
        time.sleep(IDLE_S)
        return (_cpu_s(server) - before) / IDLE_S * 100

    with served() as (server, client):
        wait(client, submit(client, "true"))
        time.sleep(15)
        mine = idle(server)
    with tempfile.TemporaryDirectory() as folder:
        bare = LiveServer(Path(folder), extensions={"jupyter_mlws": False})
        bare.start(early=True)
        try:
            time.sleep(5)
            theirs = idle(bare)
        finally:
            bare.stop()
    row(f"CPU of an idle dispatcher, {IDLE_S:.0f} s, beyond a bare Jupyter server's {theirs:.2f} %", mine - theirs, "%", 0.5)


def _times(ask: Callable[[], httpx.Response], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask().raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def bench_queue() -> None:
    """Pages while ten thousand jobs wait: what the sidebar, the compute page and a job's own page ask for."""
    with served("--MlwsApp.max_jobs=1") as (_, client):
        first = submit(client, "sleep 3600")
        began = time.perf_counter()
        ids: list[str] = []

        def some(number: int) -> None:
            with httpx.Client(base_url=client.base_url, headers=client.headers, timeout=60) as mine:
                ids.extend(submit(mine, "true") for _ in range(number))

        threads = [threading.Thread(target=some, args=(QUEUED // SUBMITTERS,)) for _ in range(SUBMITTERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"  ({QUEUED:,} submits took {time.perf_counter() - began:.0f} s)", flush=True)
        for what, path in (
            ("the jobs that wait and run", "/workspaces/default/jobs"),
            ("the compute targets with their queues", "/compute"),
            ("the first runs of an experiment", "/workspaces/default/runs?limit=100"),
            ("the last job in the queue", f"/jobs/{ids[-1]}"),
        ):
            row(f"{QUEUED:,} queued: {what}, median of 10", _times(lambda path=path: client.get(path), 10), "ms", 200)
        client.post(f"/jobs/{first}/cancel")


def bench_notebook() -> None:
    """A notebook of ten trivial cells against papermill's command line."""
    if subprocess.run([sys.executable, notebook_job.__file__, "--rounds", "5"], check=False).returncode:
        missed.append("a notebook of ten trivial cells")


BENCHES = {"first": bench_first, "burst": bench_burst, "idle": bench_idle, "queue": bench_queue, "notebook": bench_notebook}


def main() -> int:
    """Run what is asked for, all unless something is named."""
    for name in sys.argv[1:] or BENCHES:
        BENCHES[name]()
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
