from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import LiveServer


class Wire:
    """Bare requests to MLflow's routes of a server."""

    def __init__(self, server: LiveServer, workspace: str | None = None, token: str | None = None) -> None:
        place = f"/w/{workspace}" if workspace else ""
        self.root = f"{server.url}/mlws{place}"
        self.http = httpx.Client(headers={"Authorization": f"Bearer {token or server.owner()['token']}"}, timeout=30)

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """The JSON of an answer with this status."""
        url = f"{self.root}/api/2.0/mlflow/{path}"
        answer = (
            self.http.request(method, url, json=body, **options)
            if body is not None
            else self.http.request(method, url, **options)
        )
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:500])
        return answer.json()

    def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        """A GET."""
        return self.ask("GET", path, status=status, params=query)

    def post(self, path: str, *, status: int = 200, **body: Any) -> Any:
        """A POST."""
        return self.ask("POST", path, body, status=status)

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400, **options: Any) -> tuple[str, str]:
        """(code, message) of an answer that is an error."""
        found = self.ask(method, path, body, status=status, **options)
        assert set(found) == {"error_code", "message"}
        return found["error_code"], found["message"]

    def experiment(self, name: str) -> str:
        """A new experiment's id."""
        return str(self.post("experiments/create", name=name)["experiment_id"])

    def run(self, experiment_id: str, **fields: Any) -> str:
        """A new run's id."""
        return str(
            self.post("runs/create", experiment_id=experiment_id, **{"start_time": 1000, **fields})["run"]["info"]["run_id"]
        )

    def close(self) -> None:
        """Let go of the connection."""
        self.http.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("server")
    made = LiveServer(folder).start()
    yield made
    made.stop()


@pytest.fixture
def wire(server: LiveServer) -> Iterator[Wire]:
    made = Wire(server)
    yield made
    made.close()
