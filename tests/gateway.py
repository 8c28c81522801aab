"""Another Jupyter server, without anything of ours, or a gateway, whose kernels ours uses; and a way to it that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import Self

from tests.live import SERVE, free_port

START_S = 60.0


class OtherServer:
    """`jupyter server` with no extension. Everything that it writes lies below `folder`."""

    def __init__(
        self,
        folder: Path,
        options: list[str] | None = None,
        *,
        certificate: tuple[Path, Path] | None = None,
        authority: Path | None = None,
    ) -> None:
        """With a certificate and its key it speaks https; `authority` has made it."""
        self.folder = folder
        self.token = "token-of-the-other-server"
        self.options = options or []
        self.trusted = True if authority is None else ssl.create_default_context(cafile=authority)
        self.scheme = "http" if certificate is None else "https"
        if certificate is not None:
            self.options = [*self.options, f"--certfile={certificate[0]}", f"--keyfile={certificate[1]}"]
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "root").mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> Self:
        """Start, and return once it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLWS_", "JUPYTER", "PYTHONPATH"))}
        folders = {f"JUPYTER_{name}_DIR": str(self.folder / name.lower()) for name in ("DATA", "RUNTIME", "CONFIG")}
        env = {**kept, **folders, "IPYTHONDIR": str(self.folder / "ipython"), "HOME": str(self.folder / "home")}
        (self.folder / "home").mkdir(exist_ok=True)
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._command(), *self.options],
                cwd=self.folder / "root",
                env={**env, **self._environment()},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                if self._ask("GET", "/api").status_code == 200:
                    return self
            assert self.process.poll() is None, self.log()[-4000:]
            assert time.monotonic() < deadline, self.log()[-4000:]
            time.sleep(0.1)

    def _command(self) -> list[str]:
        off = "{'jupyter_mlws': False, 'jupyterlab': False, 'jupyter_lsp': False, 'notebook_shim': False}"
        return [
            sys.executable, str(SERVE), "--no-browser", "--allow-root", f"--port={self.port}", "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.folder / 'root'}", f"--IdentityProvider.token={self.token}",
            f"--ServerApp.jpserver_extensions={off}",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        """Variables of it alone."""
        return {}

    def _ask(self, method: str, path: str) -> httpx.Response:
        headers = {"Authorization": f"token {self.token}"}
        return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=30, verify=self.trusted)

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    def kernels(self) -> list[dict[str, Any]]:
        """The kernels that run there."""
        found: list[dict[str, Any]] = self._ask("GET", "/api/kernels").json()
        return found

    def delete(self, kernel_id: str) -> None:
        """End a kernel there."""
        self._ask("DELETE", f"/api/kernels/{kernel_id}")

    def kill(self) -> None:
        """`kill -9`, of the server and its kernels."""
        assert self.process is not None
        for pid in (*children_of(self.pid), self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """Stop politely."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


VENV = Path(__file__).parents[1] / ".venv-gateway"
"""Has Jupyter's gateways, whose packages are not ours to live with: `make .venv-gateway/.stamp`."""


class Gateway(OtherServer):
    """One of Jupyter's gateways. As they come they list no kernels, so that these are counted by their processes."""

    def processes(self) -> list[int]:
        """The processes of its kernels."""
        return children_of(self.pid)


class EnterpriseGateway(Gateway):
    """Jupyter Enterprise Gateway, which starts kernels on its own machine."""

    def _command(self) -> list[str]:
        return [
            present(VENV / "bin" / "python"), "-m", "enterprise_gateway", f"--port={self.port}",
            "--EnterpriseGatewayApp.port_retries=0", f"--EnterpriseGatewayApp.auth_token={self.token}",
        ]  # fmt: skip


class KernelGateway(Gateway):
    """Jupyter Kernel Gateway, with the Jupyter Server that runs these tests."""

    def _command(self) -> list[str]:
        return [
            sys.executable, "-m", "kernel_gateway", f"--port={self.port}", "--KernelGatewayApp.port_retries=0",
            f"--KernelGatewayApp.auth_token={self.token}",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"PYTHONPATH": present(VENV / "kernel-gateway")}


def present(path: Path) -> str:
    """A path of a gateway; skips the test where it is not installed."""
    if not path.exists():
        pytest.skip(f"Jupyter's gateways are not there: `make {VENV.name}/.stamp` installs them")
    return str(path)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(one) for one in (task / "children").read_text().split()]
    return found


class Wire:
    """Passes bytes on to a port of this machine; can be cut, so that nobody gets through, and mended."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.port = free_port()
        self.swallows = False
        """What is answered gets lost, and nobody notices."""
        self.holds = False
        """What is answered waits."""
        self.deaf = False
        """What is asked gets lost, and nobody notices."""
        self.scheme = "http"
        self.holds_from = b""
        """Once this is asked, what is answered waits."""
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.mend()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """Let all through from now on."""
        self._wait(self._listen())

    def cut(self, *, resets: bool = False) -> None:
        """Cut what goes through, and let nobody through; `resets`: as a machine does that has forgotten the connection."""
        self._wait(self._stop(resets=resets))

    def close(self) -> None:
        """Let go of it."""
        self.cut()
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _wait(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def _stop(self, *, resets: bool) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            if resets:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        while self._writers:  # noqa: ASYNC110 - their tasks tell nobody
            await asyncio.sleep(0.01)

    async def _end(self) -> None:
        """Nothing may be left in the loop when it closes: somebody may just have come in."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer, answers=True))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    while answers and self.holds and not writer.is_closing():  # noqa: ASYNC110 - a test says so from its own thread
                        await asyncio.sleep(0.01)
                    if not answers and self.holds_from and self.holds_from in data:
                        self.holds, self.holds_from = True, b""
                    if self.swallows if answers else self.deaf:
                        continue
                    writer.write(data)
                    await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()
