"""The owner of a data folder is killed: another takes over, jobs and kernels go on, and nothing acknowledged is lost or doubled."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import LiveServer, write_notebook
from tests.server.test_followers import kernels, run_in_kernel
from tests.servers import SOAK, lean, owns, processes_of, say, seeded, until

ROUNDS = 100 if SOAK else 10
TAKEOVER_S = 2.0


class Requests(threading.Thread):
    """Asks and writes without pause, and notes every answer."""

    def __init__(self, server: LiveServer) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.answers: list[httpx.Response] = []
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            self.answers.append(self.server.get("/workspaces"))
            self.answers.append(self.server.post("/workspaces/default/runs", {"id": uuid.uuid4().hex}))

    def end(self) -> list[httpx.Response]:
        self.ending.set()
        self.join(30)
        assert not self.is_alive()
        return self.answers


@pytest.mark.slow
def test_a_second_server_takes_over(tmp_path: Path):
    owner = lean(tmp_path / "owner").start()
    second = lean(tmp_path / "second", data_dir=owner.data_dir).start()
    try:
        kernel_id = kernels(second, "POST").json()["id"]
        run_id = run_in_kernel(second, kernel_id, "import mlws; r = mlws.start_run(); r.log_metric('m', 1); print(r.id)").split()[
            -1
        ]
        write_notebook(owner.root / "n.ipynb", "import time; time.sleep(6)", "import mlws; mlws.log_metric('after', 5)")
        jobs = [
            owner.submit({"kind": "notebook", "notebook": "n.ipynb"}),
            owner.submit({"kind": "command", "command": "for i in 1 2 3 4 5 6; do echo line $i; sleep 1; done"}),
        ]
        for job in jobs:
            second.wait(job, "Running")
        asking = Requests(second)
        asking.start()
        until(lambda: len(asking.answers) > 4, 20)
        owner.kill()
        killed = time.monotonic()
        until(lambda: owns(second), 20, "the second server takes over")
        took = time.monotonic() - killed
        say(f"taken over in {took:.2f} s")
        second.ok("GET", "/health")
        time.sleep(0.5)
        for answer in asking.end():
            assert answer.status_code in (200, 201, 503), answer.text
            if answer.status_code == 503:
                assert answer.headers["Retry-After"]
        assert answer.status_code in (200, 201)
        run_in_kernel(second, kernel_id, "r.log_metric('m', 2, step=1); r.end()")
        until(lambda: second.ok("GET", f"/runs/{run_id}")["status"] == "Completed", 20, "the kernel's run goes on")
        assert second.ok("GET", f"/runs/{run_id}")["metrics"]["m"]["last"] == 2
        for job in jobs:
            assert second.wait(job)["status"] == "Completed"
        assert second.ok("GET", f"/runs/{jobs[0]}")["metrics"]["after"]["last"] == 5
        text = second.ok("GET", f"/jobs/{jobs[1]}/log")["text"]
        assert text.splitlines() == [f"line {i}" for i in range(1, 7)]
        assert took < TAKEOVER_S
    finally:
        second.stop()
        owner.stop()
    assert processes_of(owner.data_dir) == []


@pytest.mark.slow
def test_a_download_that_loses_its_owner_is_seen_to_be_broken(tmp_path: Path):
    owner = lean(tmp_path / "owner").start()
    second = lean(tmp_path / "second", data_dir=owner.data_dir).start()
    try:
        run_id = owner.ok("POST", "/workspaces/default/runs", {})["id"]
        path, query = f"/runs/{run_id}/artifacts/content", {"path": "big"}
        owner.request("PUT", path, params=query, content=os.urandom(1 << 20) * 64)
        url = f"{second.url}/mlws/api/v1{path}"
        headers = {"Authorization": f"Bearer {second.token}"}
        with httpx.stream("GET", url, params=query, headers=headers, timeout=20) as answer:
            pieces = answer.iter_bytes(1 << 16)
            next(pieces)
            owner.kill()
            with pytest.raises(httpx.TransportError):
                for _ in pieces:
                    pass
        until(lambda: second.get(path, params=query).status_code == 200, 20)
    finally:
        second.stop()
        owner.stop()


class Ledger(threading.Thread):
    """A client that notes each acknowledged write in its own file, on the disk before it goes on."""

    def __init__(self, file: Path, servers: Callable[[], list[LiveServer]]) -> None:
        super().__init__(daemon=True)
        self.file = file
        self.servers = servers
        self.run_id = uuid.uuid4().hex
        self.answers: dict[int, int] = {}
        self.tries = 0
        self.ending = threading.Event()

    def run(self) -> None:
        with self.file.open("a") as file:
            self._until_taken("/workspaces/default/runs", {"id": self.run_id})
            step = 0
            while not self.ending.is_set():
                other = uuid.uuid4().hex
                point = {"key": "m", "value": float(step), "step": step}
                batch = {"batch_id": uuid.uuid4().hex, "metrics": [point]}
                taken = self._until_taken(f"/runs/{self.run_id}/log", batch, point)
                if not taken or not self._until_taken("/workspaces/default/runs", {"id": other}):
                    return
                file.write(f"{step} {other}\n")
                file.flush()
                os.fsync(file.fileno())
                step += 1

    def _until_taken(self, path: str, body: dict[str, Any], point: dict[str, Any] | None = None) -> bool:
        """Send it to one server after the other until one has taken it. A point has another time with each try, so that a second
        one would be seen."""
        while True:
            for server in self.servers():
                self.tries += 1
                if point is not None:
                    point["time"] = time.time_ns() // 1_000_000 + self.tries
                try:
                    status = server.post(path, body, timeout=10).status_code
                except httpx.TransportError:
                    continue
                self.answers[status] = self.answers.get(status, 0) + 1
                if status < 300:
                    return True
            if self.ending.is_set():
                return False
            time.sleep(0.05)

    def acknowledged(self) -> list[tuple[int, str]]:
        return [(int(line.split()[0]), line.split()[1]) for line in self.file.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 300)
def test_three_servers_and_the_owner_killed_again_and_again(tmp_path: Path):
    random = seeded("ledger")
    first = lean(tmp_path / "server-0").start()
    servers = [first, *(lean(tmp_path / f"server-{n}", data_dir=first.data_dir).start() for n in (1, 2))]
    starting: list[threading.Thread] = []
    down: set[LiveServer] = set()

    def up() -> list[LiveServer]:
        return sorted((server for server in servers if server not in down), key=lambda _: random.random())

    def start_again(server: LiveServer) -> None:
        server.start()
        down.discard(server)

    ledgers = [Ledger(tmp_path / f"ledger-{n}", up) for n in range(3)]
    keys: dict[str, str] = {}
    slowest = 0.0
    try:
        for ledger in ledgers:
            ledger.start()
        for number in range(ROUNDS):
            until(lambda: len(up()) > 1, 60, "another server is there")
            owner = until(lambda: next((server for server in up() if owns(server)), None), 20, "an owner")
            key = f"job-{number}"
            keys[key] = up()[0].ok(
                "POST",
                "/workspaces/default/jobs",
                {"spec": {"kind": "command", "command": "true"}},
                headers={"Idempotency-Key": key},
            )["run"]["id"]
            time.sleep(random.uniform(0, 0.4))
            down.add(owner)
            owner.kill()
            killed = time.monotonic()
            until(lambda: any(owns(server) for server in up()), 20, "somebody takes over")
            slowest = max(slowest, time.monotonic() - killed)
            again = up()[0].ok(
                "POST",
                "/workspaces/default/jobs",
                {"spec": {"kind": "command", "command": "true"}},
                headers={"Idempotency-Key": key},
            )["run"]["id"]
            assert again == keys[key], "the same key is the same job, also with another owner"
            thread = threading.Thread(target=start_again, args=[owner], daemon=True)
            thread.start()
            starting.append(thread)
        for ledger in ledgers:
            ledger.ending.set()
        for thread in [*ledgers, *starting]:
            thread.join(60)
        told = check_ledgers(up()[0], ledgers)
        for run_id in keys.values():
            assert up()[0].wait(run_id)["status"] == "Completed"
            assert one_end(up()[0], run_id)
        say(f"{ROUNDS} owners killed, slowest takeover {slowest:.2f} s; {told}")
    finally:
        for thread in starting:
            thread.join(60)
        for server in servers:
            server.stop()
    assert processes_of(first.data_dir) == []


def check_ledgers(server: LiveServer, ledgers: list[Ledger]) -> str:
    """What was acknowledged is there, once. What was not may be there or not."""
    total = 0
    for ledger in ledgers:
        assert set(ledger.answers) <= {200, 201, 503}, ledger.answers
        noted = ledger.acknowledged()
        total += len(noted)
        assert noted, "nothing was written"
        found = server.ok("GET", f"/runs/{ledger.run_id}/metrics/history", params={"key": "m", "limit": 10_000})
        steps = found["steps"]
        assert len(steps) == len(set(steps)), "a step was logged twice"
        lost = {step for step, _ in noted} - set(steps)
        assert not lost, f"acknowledged and lost: {sorted(lost)[:20]}"
        for _, run_id in noted:
            assert server.get(f"/runs/{run_id}").status_code == 200
    return f"{total} acknowledged pairs of writes, 0 lost, 0 doubled; answers {[ledger.answers for ledger in ledgers]}"


def one_end(server: LiveServer, run_id: str) -> bool:
    """Whether a run has had exactly one final status."""
    changes = server.ok("GET", f"/runs/{run_id}/history")["changes"]
    return sum(change["status"] in ("Completed", "Failed", "Canceled") for change in changes) == 1
