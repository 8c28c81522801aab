"""Bridge kernels, and clients of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.gateway import OtherServer


class OneSpec(KernelSpecManager):
    """Has one kernel: a bridge."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        argv = [
            sys.executable,
            "-m",
            "jupyter_mlws.runner.gateway",
            "-f",
            "{connection_file}",
            "--settings",
            json.dumps(settings),
        ]
        self._spec = KernelSpec(argv=argv, display_name="There", language="python", interrupt_mode="message")

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        del kernel_name
        return self._spec


class Kernel:
    """A bridge, and a client of it."""

    def __init__(self, settings: dict[str, Any], token: str, folder: Path) -> None:
        self.folder = folder
        self.manager = KernelManager(kernel_name="there", kernel_spec_manager=OneSpec(settings))
        self.manager.connection_file = str(folder / "k.json")
        self.log = (folder / "log").open("w+b")
        self.manager.start_kernel(
            env={**os.environ, "MLWS_GATEWAY_TOKEN": token}, cwd=str(folder), stdout=self.log, stderr=self.log
        )
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.allow_stdin = False

    def said(self) -> str:
        """What the bridge has to say."""
        return (self.folder / "log").read_text()

    def record(self) -> dict[str, Any]:
        """What it noted of the kernel over there."""
        found: dict[str, Any] = json.loads((self.folder / "k.gateway").read_text())
        return found

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)  # type: ignore[union-attr]

    def run(self, code: str, timeout: float = 30) -> tuple[dict[str, Any], str]:
        """The reply to a cell, and what it printed."""
        asked = self.client.execute(code)
        return self.reply(asked, timeout)

    def reply(self, asked: str, timeout: float = 30) -> tuple[dict[str, Any], str]:
        text = ""
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "stream":
                text += message["content"]["text"]
            if message["content"].get("execution_state") == "idle":
                break
        while True:
            found = self.client.get_shell_msg(timeout=timeout)
            if found["parent_header"].get("msg_id") == asked:
                return found["content"], text

    def close(self) -> None:
        if self.log.closed:
            return
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=not self.manager.is_alive())
        self.log.close()
        self.manager.context.term()


def bridges(folder: Path, other: OtherServer) -> Iterator[Callable[..., Kernel]]:
    """What starts bridges; each ends with the test, and leaves no kernel. For fixtures."""
    made: list[Kernel] = []

    def one(url: str = "", token: str = "", **settings: Any) -> Kernel:
        own = folder / f"bridge{len(made)}"
        own.mkdir()
        made.append(Kernel({"url": url or other.url, "kernel": "python3", **settings}, token or other.token, own))
        return made[-1]

    yield one
    for kernel in made:
        kernel.close()
