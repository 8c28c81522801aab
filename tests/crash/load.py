"""Clients of MLflow's protocol that log without pause while something breaks, and what must be found of it afterwards.

Each keeps one connection, sends the bodies of the stock client, and sends an unanswered one again as that does. What was
acknowledged stands in a file of its own, on the disk before the client goes on. Sometimes a client gives up instead, as one does
that is killed itself: what it had sent may be there, whole, or not at all.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import socket
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from tests.live import LiveServer

RETRIED = (408, 429, 500, 502, 503, 504)
"""Answers that the stock client takes for passing ones."""
FULL = 507
"""A file that the disk had no room for; the stock client does not send it again."""
RUN_LENGTH = 40
"""Writes to one run, until the next is made."""
GIVES_UP = 0.25
STORE = "mlflow-artifacts/artifacts"


def quiet_port() -> int:
    """A free port that no outgoing connection gets from the system while the server on it is away: those lie higher."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Refused(Exception):
    """An answer that the stock client would raise as an error."""


class GivenUp(Exception):
    """The client did not wait for an answer."""


class Client(threading.Thread):
    """One client. `noted` is what was acknowledged, `abandoned` what it gave up; each entry is (kind, what was sent)."""

    def __init__(self, number: int, seed: int, server: LiveServer, shared_run: str, file: Path) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.random = random.Random(f"{seed} {number}")
        self.port, self.token = server.port, server.token
        self.shared_run = shared_run
        self.file = file
        self.file.touch()
        self.model = f"model-{number}-{uuid.uuid4().hex[:6]}"
        self.abandoned: list[tuple[str, dict[str, Any]]] = []
        self.statuses: Counter[int] = Counter()
        self.words: set[str] = set()
        self.cut = 0
        """Requests that were sent and never answered."""
        self.resent = 0
        self.acknowledged = 0
        self.sending = False
        self.trouble: BaseException | None = None
        self.ending = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._n = 0

    def run(self) -> None:
        """Log until told to end, and then until the last write is acknowledged."""
        try:
            with self.file.open("a") as self._ledger:
                self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by `end`
            self.trouble = error
        finally:
            if self._connection is not None:
                self._connection.close()

    def end(self) -> None:
        """Wait until it has ended, and raise what went wrong in it."""
        self.ending.set()
        self.join(120)
        assert not self.is_alive(), f"client {self.number} did not get its last answer"
        if self.trouble is not None:
            raise self.trouble

    def noted(self) -> list[tuple[str, dict[str, Any]]]:
        """What was acknowledged."""
        return [tuple(json.loads(line)) for line in self.file.read_text().splitlines()]

    # --- what it does ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        self._once("registered-models/create", {"name": self.model})
        kinds = [self._point, self._point, self._point, self._batch, self._batch, self._tag, self._file, self._shared_point]
        kinds += [self._large_batch, self._version, self._old_model, self._new_model]
        while not self.ending.is_set():
            name = f"run {self.number} {uuid.uuid4().hex}"
            made, tries = self._ask("POST", "runs/create", {"experiment_id": "0", "start_time": 1, "run_name": name})
            info = made["run"]["info"]
            self.run_id, self.place = info["run_id"], info["artifact_uri"].removeprefix("mlflow-artifacts:/")
            self.model_id: str | None = None
            self._note("run", {"run": self.run_id, "name": name, "tries": tries})
            for _ in range(RUN_LENGTH):
                if self.ending.is_set():
                    break
                self._n += 1
                self.random.choice(kinds)()

    def _point(self) -> None:
        step = self.random.choice([self._n, self._n, self.random.randrange(-50, 50)])
        body = {"run_id": self.run_id, "key": "m", "value": self.random.random(), "timestamp": self._n, "step": step}
        if self.model_id is not None:
            body["model_id"] = self.model_id
        self._write("point", "runs/log-metric", body)

    def _shared_point(self) -> None:
        """Into a run that all clients log to."""
        step = self.number * 1_000_000 + self._n
        body = {"run_id": self.shared_run, "key": "shared", "value": self.random.random(), "timestamp": self._n, "step": step}
        self._write("point", "runs/log-metric", body)

    def _batch(self, points: int = 10) -> None:
        n, value = self._n, self.random.random
        keys = ("loss", "acc") if points < 100 else ("large",)
        metrics = [{"key": key, "value": value(), "timestamp": n, "step": n * 1000 + k} for key in keys for k in range(points)]
        params = [{"key": f"p{n}-{k}", "value": f"{value()}"} for k in range(3)]
        tags = [{"key": f"t{n}-{k}", "value": f"{value()}"} for k in range(2)]
        self._write("batch", "runs/log-batch", {"run_id": self.run_id, "metrics": metrics, "params": params, "tags": tags})

    def _large_batch(self) -> None:
        """Large enough to be stored as a chunk."""
        self._batch(points=700)

    def _tag(self) -> None:
        self._write("tag", "runs/set-tag", {"run_id": self.run_id, "key": f"tag{self._n}", "value": "v" * self._n})

    def _file(self) -> None:
        content = self.random.randbytes(self.random.choice([0, 10, 30_000, 2_500_000]))
        told = {
            "run": self.run_id,
            "place": self.place,
            "path": f"deep/{self._n}.bin",
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        self._write("file", f"{STORE}/{self.place}/{told['path']}", told, content)

    def _version(self) -> None:
        """The stock client sends it again as well, and then there may be two; the one that was answered is there once."""
        body = {
            "name": self.model,
            "source": f"runs:/{self.run_id}/m",
            "run_id": self.run_id,
            "tags": [{"key": "n", "value": str(self._n)}],
        }
        made, tries = self._ask("POST", "model-versions/create", body)
        self._note(
            "version", {"name": self.model, "version": made["model_version"]["version"], "n": str(self._n), "tries": tries}
        )

    def _old_model(self) -> None:
        """As clients of MLflow 2 note a model."""
        model = {
            "artifact_path": "m",
            "flavors": {},
            "utc_time_created": "now",
            "run_id": self.run_id,
            "model_uuid": str(self._n),
        }
        self._write("old_model", "runs/log-model", {"run_id": self.run_id, "model_json": json.dumps(model)})

    def _new_model(self) -> None:
        body = {"experiment_id": "0", "name": f"net{self._n}", "source_run_id": self.run_id}
        made, _ = self._ask("POST", "logged-models", body)
        self.model_id = made["model"]["info"]["model_id"]
        self._note("new_model", {"model_id": self.model_id, "name": body["name"], "run": self.run_id})

    # --- how it asks -------------------------------------------------------------------------------------------------

    def _write(self, kind: str, path: str, told: dict[str, Any], content: bytes | None = None) -> None:
        """Send it until it is acknowledged, and note that; or give it up when it is cut, and note that."""
        try:
            self._ask("POST" if content is None else "PUT", path, told if content is None else content, may_give_up=True)
        except GivenUp:
            self.abandoned.append((kind, told))
        else:
            self._note(kind, told)

    def _once(self, path: str, body: dict[str, Any]) -> None:
        """Make what has a name: that it exists is what the second try is told, if the first was done."""
        try:
            self._ask("POST", path, body)
        except Refused as error:
            if "RESOURCE_ALREADY_EXISTS" not in str(error) or not self.resent:
                raise

    def _ask(self, method: str, path: str, body: dict[str, Any] | bytes, *, may_give_up: bool = False) -> tuple[Any, int]:
        """(the answer, how often it was sent) of a request that is sent again, the same, until it is answered."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        place = f"/mlws/api/2.0/{path}" if path.startswith(STORE) else f"/mlws/api/2.0/mlflow/{path}"
        tries = 0
        while True:
            cut = self.cut
            answered = self._send(method, place, raw, kind)
            if answered is None and self.cut == cut:  # nobody was there
                time.sleep(0.05)
                continue
            tries += 1
            self.resent += tries > 1
            if answered is not None:
                status, text = answered
                self.statuses[status] += 1
                if status == 200:
                    return json.loads(text), tries
                error = json.loads(text)
                assert set(error) == {"error_code", "message"}, text
                self.words.add(error["message"])
                if status == FULL and may_give_up:
                    raise GivenUp
                if status not in RETRIED:
                    raise Refused(f"{method} {path} at try {tries}: {status} {text[:500]!r}")
            if may_give_up and self.random.random() < GIVES_UP:
                raise GivenUp
            time.sleep(0.05)

    def _send(self, method: str, path: str, raw: bytes, kind: str) -> tuple[int, bytes] | None:
        """One try: (status, body), or None where no answer came."""
        sent = False
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self._connection.connect()
            self.sending = sent = True
            self._connection.request(method, path, raw, {"Authorization": f"Bearer {self.token}", "Content-Type": kind})
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.cut += sent
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None
        finally:
            self.sending = False

    def _note(self, kind: str, told: dict[str, Any]) -> None:
        self._ledger.write(json.dumps([kind, told]) + "\n")
        self._ledger.flush()
        os.fsync(self._ledger.fileno())
        self.acknowledged += 1


class Load:
    """Some clients on one server."""

    def __init__(self, server: LiveServer, seed: int, folder: Path, clients: int = 6) -> None:
        made = server.ok("POST", "/workspaces/default/runs", {"name": "shared"})
        self.shared_run = str(made["id"])
        self.clients = [Client(n, seed, server, self.shared_run, folder / f"client-{n}") for n in range(clients)]
        for client in self.clients:
            client.start()

    def sending(self) -> bool:
        """Whether a request is on its way just now. Raises what went wrong in a client."""
        for client in self.clients:
            if client.trouble is not None:
                raise client.trouble
        return any(client.sending for client in self.clients)

    def acknowledged(self) -> int:
        """How many writes were acknowledged."""
        return sum(client.acknowledged for client in self.clients)

    def statuses(self) -> Counter[int]:
        """All answers, by status."""
        return sum((client.statuses for client in self.clients), Counter())

    def words(self) -> set[str]:
        """The messages of all answers that were errors."""
        return set().union(*(client.words for client in self.clients))

    def cut(self) -> int:
        """How many requests were sent and not answered."""
        return sum(client.cut for client in self.clients)

    def end(self) -> None:
        """End all clients."""
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            client.end()

    def stop(self) -> None:
        """End what still runs, after a failure too."""
        for client in self.clients:
            client.ending.set()
