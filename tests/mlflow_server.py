"""MLflow's own server, from the environment that has its newest client: what ours is compared with."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
from typing_extensions import Self

from tests.live import free_port
from tests.mlflow_clients import python_of

START_S = 90.0


class MlflowServer:
    """`mlflow server` on SQLite with one worker, without sign-in, as it comes but for the processes of its own jobs, whose start costs more
    than its own. Everything it writes lies below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start, and return once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        programs = Path(python_of("3")).parent
        command = [
            str(programs / "mlflow"), "server", "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}", "--artifacts-destination", str(self.folder / "artifacts"),
        ]  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLWS_", "PYTHONPATH"))}
        off = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        env = {**kept, **off, "PATH": f"{programs}:{os.environ['PATH']}"}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health").status_code == 200:
                    return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MLflow's server did not start:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it with its workers."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)

    @property
    def _log(self) -> Path:
        return self.folder / "log"
