"""How long a submit takes to answer, and how soon a printed line can be read.

Submits a notebook whose folder did not change (limit: 50 ms, median), one whose folder has 1,000 new small files (limit: 1 s), and a
command that prints the time: the lag from the print to a client that follows the stream of changes and reads the log (limit: 500 ms).
A real server in its own process; the client is this process. Run it from the repository: `python -m bench.submit`.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from tests.live import WITH_LAB, LiveServer, write_notebook

UNCHANGED = 30
FILES = 1000
LINES = 20
PRINTS = f"for i in $(seq {LINES}); do date +%s.%N; sleep 0.7; done"


def submit(spec: dict[str, object], client: httpx.Client) -> tuple[float, str]:
    """(milliseconds until the answer, run id)."""
    start = time.perf_counter()
    answer = client.post("/workspaces/default/jobs", json={"spec": spec, "target": "local"})
    took = (time.perf_counter() - start) * 1000
    answer.raise_for_status()
    run_id = answer.json()["run"]["id"]
    client.post(f"/jobs/{run_id}/cancel")
    return took, run_id


def occupy(client: httpx.Client) -> str:
    """Take the one slot with a job that only waits; its run id once it runs."""
    run_id: str = client.post("/workspaces/default/jobs", json={"spec": {"kind": "command", "command": "sleep 600"}}).json()[
        "run"
    ]["id"]
    while client.get(f"/runs/{run_id}").json()["status"] != "Running":
        time.sleep(0.1)
    return run_id


def unchanged(server: LiveServer, client: httpx.Client) -> list[float]:
    """Submits of a folder with 200 files that did not change since the first."""
    folder = server.root / "same"
    write_notebook(folder / "same.ipynb", "1")
    for number in range(200):
        (folder / f"module_{number}.py").write_text(f"x = {number}\n")
    time.sleep(2.5)  # a file that changed within the last two seconds is read again, to be sure
    spec: dict[str, object] = {"kind": "notebook", "notebook": "same/same.ipynb"}
    submit(spec, client)
    return [submit(spec, client)[0] for _ in range(UNCHANGED)]


def new_files(server: LiveServer, client: httpx.Client) -> float:
    """A submit of a folder with 1,000 new files of about 1 kB."""
    folder = server.root / "new"
    write_notebook(folder / "new.ipynb", "1")
    for number in range(FILES):
        (folder / f"file_{number}.txt").write_text(f"{number} " * 200)
    return submit({"kind": "notebook", "notebook": "new/new.ipynb"}, client)[0]


def lags(client: httpx.Client) -> list[float]:
    """Milliseconds from each print to its being read, by a client that is told of changes."""
    told = threading.Event()
    ended = threading.Event()

    def follow() -> None:
        with contextlib.suppress(httpx.TransportError), client.stream("GET", "/changes/stream", timeout=None) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:") and json.loads(line[5:])["kind"] in ("log", "run"):
                    told.set()
                if ended.is_set():
                    return

    threading.Thread(target=follow, daemon=True).start()
    answer = client.post("/workspaces/default/jobs", json={"spec": {"kind": "command", "command": PRINTS}})
    run_id = answer.json()["run"]["id"]
    found: list[float] = []
    offset, done = 0, False
    while not done:
        told.wait(2)
        told.clear()
        page = client.get(f"/jobs/{run_id}/log", params={"offset": offset}).json()
        now = time.time()
        found += [(now - float(line)) * 1000 for line in page["text"].split()]
        offset, done = page["next_offset"], page["done"]
    ended.set()
    return found


def main() -> int:
    """Print the table; 1 if something is over its limit."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), options=["--MlwsApp.max_jobs=1"], extensions=WITH_LAB).start()
        try:
            headers = {"Authorization": f"Bearer {server.owner()['token']}"}
            with httpx.Client(base_url=f"{server.url}/mlws/api/v1", headers=headers, timeout=60) as client:
                blocker = occupy(client)  # the submitted jobs wait: what is measured is the submit, not a job beside it
                same, many = unchanged(server, client), new_files(server, client)
                client.post(f"/jobs/{blocker}/cancel")
                seen = lags(client)
        finally:
            server.stop()
    rows = [
        ("submit, 201 unchanged files, median of 30", statistics.median(same), 50.0),
        ("submit, 1,000 new files of 1 kB", many, 1000.0),
        ("a printed line can be read, median of 20", statistics.median(seen), 500.0),
        ("a printed line can be read, slowest of 20", max(seen), 500.0),
    ]
    print(f"{'work':<46}{'ms':>9}{'limit':>9}")
    for name, value, limit in rows:
        print(f"{name:<46}{value:>9.0f}{limit:>9.0f}{'  OVER' if value > limit else ''}")
    return int(any(value > limit for _, value, limit in rows))


if __name__ == "__main__":
    sys.exit(main())
