"""A real Jupyter server of our own, in a process and folders of its own, for tests that go through the front door."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from typing_extensions import Self

START_S = 60.0
SERVE = Path(__file__).with_name("serve.py")
LEAN = {"jupyter_mlws": True, "jupyterlab": False, "jupyter_lsp": False, "notebook_shim": False, "notebook": False}
"""Extensions of a server without the Lab, which starts sooner."""
WITH_LAB = {"jupyter_mlws": True}
"""Beside those that are installed."""


def free_port() -> int:
    """A port that nobody listens on now, and that the system gives nobody who asks for any: a server that starts takes its port seconds
    later, and kernels and connections of other tests ask for any all the time."""
    while True:
        port = random.SystemRandom().randrange(12_000, 30_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


class LiveServer:
    """`jupyter server` with our extension, and without the Lab unless that is asked for. Everything it writes lies below `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        data_dir: Path | None = None,
        options: list[str] | None = None,
        base_url: str = "/",
        environment: dict[str, str] | None = None,
        extensions: dict[str, bool] | None = None,
    ) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.data_dir = data_dir or folder / "data"
        self.token = "test-token-of-jupyter"
        self.options = options or []
        self.environment = environment or {}
        self.extensions = extensions or LEAN
        self.base_url = base_url
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.root.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Where the server answers, with its base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}{self.base_url.rstrip('/')}"

    @property
    def env(self) -> dict[str, str]:
        """Environment of the server, and of clients that should find it by themselves."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLWS_", "JUPYTER"))}
        return {
            **kept,
            "MLWS_DATA_DIR": str(self.data_dir),
            "JUPYTER_DATA_DIR": str(self.folder / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            **self.environment,
        }

    def start(self, *, answer: int = 200, early: bool = False, port: int | None = None) -> Self:
        """Start, and return once the workspace answers; with another status where it is to refuse. `early`: once Jupyter does."""
        self.port = port or free_port()
        command = [
            sys.executable,
            *([str(SERVE)] if self.extensions == LEAN else ["-m", "jupyter_server"]),
            "--no-browser",
            "--allow-root",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--ServerApp.base_url={self.base_url}",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.jpserver_extensions={self.extensions}",
            *self.options,
        ]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.root, env=self.env, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                asked = httpx.get(f"{self.url}/api") if early else self.get("/health")
                if asked.status_code == answer:
                    return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{self.log()[-4000:]}")
            time.sleep(0.01 if early else 0.1)

    def log(self) -> str:
        """What the server printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    def kill(self) -> None:
        """`kill -9`, of the server alone."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """Stop politely."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def owner(self) -> dict[str, Any]:
        """What stands in `owner.json`."""
        found: dict[str, Any] = json.loads((self.data_dir / "owner.json").read_text())
        return found

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request to our API, signed in as a person. `auth=None` goes without."""
        headers = {"Authorization": f"Bearer {options.pop('token', self.token)}", **options.pop("headers", {})}
        if options.pop("anonymous", False):
            del headers["Authorization"]
        timeout = options.pop("timeout", 30)
        return httpx.request(
            method, f"{self.url}/mlws/api/v1{path}", headers=headers, timeout=timeout, follow_redirects=True, **options
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """POST a JSON body."""
        return self.request("POST", path, json=body, **options) if body is not None else self.request("POST", path, **options)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON answer of a request that must succeed."""
        answer = self.request(method, path, **({"json": body} if body is not None else {}), **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def submit(self, spec: dict[str, Any], **fields: Any) -> str:
        """Submit a job to the default workspace; its run id."""
        run_id: str = self.ok("POST", "/workspaces/default/jobs", {"spec": spec, **fields})["run"]["id"]
        return run_id

    def wait(self, run_id: str, *statuses: str, timeout: float = 60) -> dict[str, Any]:
        """The run once it has one of these statuses (by default: once it ended)."""
        wanted = statuses or ("Completed", "Failed", "Canceled")
        deadline = time.monotonic() + timeout
        while True:
            run: dict[str, Any] = self.ok("GET", f"/runs/{run_id}")
            if run["status"] in wanted:
                return run
            assert time.monotonic() < deadline, (
                f"run {run_id} is {run['status']} after {timeout} s: {run['error']}\n{self.log()[-3000:]}"
            )
            time.sleep(0.1)


def notebook(*cells: str, parameters: str | None = None, kernel: str = "python3") -> dict[str, Any]:
    """A notebook of code cells; the first one tagged `parameters` if given."""
    sources = ([("parameters", parameters)] if parameters is not None else []) + [("", cell) for cell in cells]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
        "cells": [
            {
                "id": f"cell-{n}",
                "cell_type": "code",
                "execution_count": None,
                "metadata": {"tags": [tag]} if tag else {},
                "outputs": [],
                "source": source,
            }
            for n, (tag, source) in enumerate(sources)
        ],
    }


def write_notebook(path: Path, *cells: str, parameters: str | None = None, kernel: str = "python3") -> Path:
    """Write a notebook of code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(*cells, parameters=parameters, kernel=kernel)))
    return path
