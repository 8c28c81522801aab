"""Starts, readies, interrupts and ends the kernel of a notebook job."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from jupyter_mlws.runner.report import Refused

READY_WITHIN_S = 120.0
SHUTDOWN_WITHIN_S = 20.0
LAST_WORDS = 4000
ASK_WITHIN_S = 15.0


class KernelDied(Exception):
    """The kernel's process ended although nobody asked it to. `last_words` is what it wrote to its own stderr."""

    kind = "KernelDied"

    def __init__(self, message: str, *, last_words: bytes = b"") -> None:
        super().__init__(message)
        self.last_words = last_words


class OfInterpreter(KernelSpecManager):
    """Has one kernel: ipykernel of an interpreter."""

    def __init__(self, python: str) -> None:
        super().__init__()
        self._spec = KernelSpec(
            argv=[python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3 (ipykernel)",
            language="python",
        )

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """That one, whatever it is called."""
        del kernel_name
        return self._spec


class JobKernel:
    """The kernel of one job. `start` returns as soon as its process runs, so that our own imports go on beside its start."""

    ends_within_s = SHUTDOWN_WITHIN_S
    trouble = ""
    """What is missing of what the job made, once the kernel has ended."""

    def __init__(self, name: str, python: str | None = None) -> None:
        """`python`: an interpreter whose ipykernel is the kernel, whatever is installed under `name`."""
        self._use(name, KernelSpecManager() if python is None else OfInterpreter(python))

    def _use(self, name: str, specs: KernelSpecManager) -> None:
        try:
            self.spec = specs.get_kernel_spec(name)
        except NoSuchKernel:
            there = ", ".join(sorted(KernelSpecManager().find_kernel_specs())) or "none"
            raise Refused(f"The kernel {name!r} is not installed. Installed are: {there}.", kind="KernelMissing") from None
        self.name = name
        self.is_ipykernel = any("ipykernel" in argument for argument in self.spec.argv)
        self.takes_ipc = self.is_ipykernel
        """Sockets that only we can open. Other kernels may not know this transport."""
        self.folder: Path | None = None
        self.manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs)
        self.client: Any = None
        self.info: dict[str, Any] = {}
        self.last_words = b""
        """End of what the kernel's process wrote to its own stdout and stderr."""

    async def start(self, cwd: str) -> None:
        """Start the kernel's process in `cwd` with our environment."""
        # Short, for a socket's path may have 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="mlws-", dir="/tmp" if os.access("/tmp", os.W_OK) else None))  # noqa: S108 - ours alone
        self.manager.connection_file = str(self.folder / "k.json")
        if self.takes_ipc and sys.platform.startswith("linux"):
            self.manager.transport = "ipc"
            self.manager.ip = str(self.folder / "k")
        arguments = ["--HistoryManager.hist_file=:memory:"] if self.is_ipykernel else []
        streams: dict[str, int] = {}
        if self.takes_ipc:
            # ipykernel sends what its process and subprocesses write as output, and writes it to its stdout too: that would be twice
            # in the log. What it says when it crashes comes only this way, so the end of it is kept.
            reading, writing = os.pipe()
            os.set_blocking(reading, False)
            asyncio.get_running_loop().add_reader(reading, self._take_raw, reading)
            streams = {"stdout": writing, "stderr": writing}
        try:
            await self.manager.start_kernel(extra_arguments=arguments, cwd=cwd, env=dict(os.environ), **streams)
        except OSError as error:
            raise Refused(f"The kernel {self.name!r} cannot be started: {error}.", kind="KernelFailed") from None
        finally:
            if streams:
                os.close(streams["stdout"])

    def _take_raw(self, reading: int) -> None:
        try:
            data = os.read(reading, 65536)
        except BlockingIOError:
            return
        self.last_words = (self.last_words + data)[-LAST_WORDS:]
        if not data:
            asyncio.get_running_loop().remove_reader(reading)
            os.close(reading)

    async def ready(self) -> None:
        """Wait until the kernel answers on the channels that we need, or raise `KernelDied`."""
        import zmq

        context = self.manager.context
        context.setsockopt(zmq.RECONNECT_IVL, 10)  # we connect before the kernel listens
        context.setsockopt(zmq.RCVHWM, 0)  # never drop output because we are slow
        self.client = self.manager.client(context=context)
        self.client.start_channels(stdin=False, hb=False)
        self.client.allow_stdin = False
        until = time.monotonic() + READY_WITHIN_S
        patience = 0.5
        while time.monotonic() < until:
            asked = self.client.kernel_info()
            reply = await self._answer(self.client.shell_channel, asked, patience)
            if reply is not None:
                self.info = reply["content"]
                if await self._answer(self.client.iopub_channel, asked, 1.0) is not None:
                    return
            if not await self.manager.is_alive():
                raise KernelDied(f"The kernel died while it started ({self.ending()}).")
            patience = min(5.0, patience * 2)
        raise KernelDied(f"The kernel did not answer within {READY_WITHIN_S:.0f} s of its start.")

    async def ask(self, expression: str) -> Any:
        """The value of an expression whose value is a text of JSON. It counts as no cell, and leaves nothing. Raises `KernelDied`."""
        how = {"silent": True, "store_history": False, "allow_stdin": False}
        asked = self.client.execute("", user_expressions={"answer": expression}, **how)
        reply = await self._answer(self.client.shell_channel, asked, ASK_WITHIN_S)
        if reply is None or await self._answer(self.client.iopub_channel, asked, ASK_WITHIN_S) is None:
            raise KernelDied("the kernel does not answer")
        answer = reply["content"]["user_expressions"]["answer"]
        if answer["status"] != "ok":
            raise ValueError(f"{answer.get('ename')}: {answer.get('evalue')}")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    async def _answer(self, channel: Any, asked: str, patience: float) -> dict[str, Any] | None:
        """The last message on `channel` that answers `asked`; None if there is none within `patience`, or the kernel is dead."""
        until = time.monotonic() + patience
        while (left := until - time.monotonic()) > 0:
            with contextlib.suppress(Empty):
                message: dict[str, Any] = await channel.get_msg(timeout=min(left, 0.2))
                if message["parent_header"].get("msg_id") == asked and message["content"].get("execution_state") != "busy":
                    return message
            if not await self.manager.is_alive():
                return None
        return None

    @property
    def pid(self) -> int | None:
        """The kernel's process, while there is one."""
        found = getattr(self.manager.provisioner, "pid", None)
        return found if isinstance(found, int) and self.manager.has_kernel else None

    def let_go(self) -> None:
        """Listen to the kernel no more: what it says from now on is for others, and would gather here."""
        if self.client is not None:
            self.client.stop_channels()
            self.client = None

    def killed_by(self) -> int | None:
        """The signal that ended the kernel's process, if one did."""
        code = self._exit_code()
        return -code if code is not None and code < 0 else None

    def _exit_code(self) -> int | None:
        process = getattr(self.manager.provisioner, "process", None)
        return process.poll() if process is not None else None

    def ending(self) -> str:
        """How the kernel's process ended, for a person."""
        code = self._exit_code()
        if code is None:
            return "its process is gone"
        if code == -9:
            return "killed by signal 9; most often the memory ran out"
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    async def interrupt(self) -> None:
        """Interrupt what runs."""
        if self.manager.has_kernel:
            with contextlib.suppress(RuntimeError, OSError):
                await self.manager.interrupt_kernel()

    async def kill(self) -> None:
        """End the kernel without asking."""
        if self.manager.has_kernel:
            with contextlib.suppress(RuntimeError, OSError):
                await self.manager.signal_kernel(9)

    async def ask_to_end(self) -> None:
        """Ask the kernel to end; `finish` waits for it."""
        if self.manager.has_kernel:
            await self.manager.request_shutdown()

    async def finish(self) -> None:
        """Wait until the kernel is gone (its exit handlers may flush metrics), and remove what it left in the file system."""
        try:
            if self.manager.has_kernel:
                await self.manager.finish_shutdown(waittime=self.ends_within_s, pollinterval=0.01)
        finally:
            if self.client is not None:
                self.client.stop_channels()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                self.manager.cleanup_connection_file()
                self.manager.cleanup_ipc_files()
            if self.folder is not None:
                shutil.rmtree(self.folder, ignore_errors=True)
