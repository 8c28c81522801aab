"""A real Chromium over its DevTools protocol, for benches and tests that look at pages as a person does. No packages but tornado."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1280,800",
)
START_S = 30.0
REPLY_S = 120.0
BIGGEST = 256 * 2**20


class ScriptFailed(Exception):
    """The page's script threw, or the browser refused a command."""


def find_chromium() -> str | None:
    """The command of an installed Chromium: `MLWS_CHROMIUM`, else the first on the PATH."""
    for name in (os.environ.get("MLWS_CHROMIUM") or "", *NAMES):
        found = shutil.which(name) if name else None
        if found:
            return found
    return None


class Page:
    """One tab."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        while (message := await self._connection.read_message()) is not None:
            reply = json.loads(message)
            waiting = self._waiting.pop(reply.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(reply)

    async def call(self, method: str, **params: Any) -> Any:
        """One command of the protocol; its result."""
        self._number += 1
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = waiting
        await self._connection.write_message(json.dumps({"id": self._number, "method": method, "params": params}))
        reply = await asyncio.wait_for(waiting, REPLY_S)
        if "error" in reply:
            raise ScriptFailed(f"{method}: {reply['error']['message']}")
        return reply["result"]

    async def run(self, script: str, **values: Any) -> Any:
        """The value of a script's body (with `return`, may await); `values` are its variables."""
        names, given = ", ".join(values), ", ".join(json.dumps(value) for value in values.values())
        expression = f"(async ({names}) => {{ {script} }})({given})"
        reply = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in reply:
            details = reply["exceptionDetails"]
            raise ScriptFailed(details.get("exception", {}).get("description") or details.get("text"))
        return reply["result"].get("value")

    async def until(self, condition: str, timeout: float = 30, **values: Any) -> Any:
        """The first true value of a condition, looked at once a frame."""
        script = f"""
            const end = performance.now() + {timeout * 1000};
            for (;;) {{
                const found = (() => {{ return {condition}; }})();
                if (found) return found instanceof Node ? true : found;
                if (performance.now() > end) throw new Error("waited in vain");
                await new Promise(go => requestAnimationFrame(go));
            }}"""
        try:
            return await self.run(script, **values)
        except ScriptFailed as error:
            raise ScriptFailed(f"{condition}: {error}") from None

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.call("Page.navigate", url=url)

    async def heap_mb(self) -> float:
        """What the page's scripts hold after a collection, in MB."""
        await self.call("HeapProfiler.enable")
        await self.call("HeapProfiler.collectGarbage")
        return float((await self.call("Runtime.getHeapUsage"))["usedSize"]) / 2**20

    async def wheel(self, x: float, y: float, delta: float) -> None:
        """Turn the wheel over a place."""
        await self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=delta)

    async def picture(self) -> bytes:
        """A PNG of what is seen."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])

    async def close(self) -> None:
        """Let go of the tab."""
        self._reader.cancel()
        self._connection.close()


@asynccontextmanager
async def chromium_page(command: str) -> AsyncIterator[Page]:
    """A tab in a Chromium of its own, with a profile of its own."""
    profile = tempfile.mkdtemp(prefix="mlws-chromium-")
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        command, *SWITCHES, f"--user-data-dir={profile}", "about:blank", stdout=quiet, stderr=quiet
    )
    try:
        page = Page(await websocket_connect(await _address(Path(profile), process), max_message_size=BIGGEST))
        await page.call("Page.enable")
        await page.call("Runtime.enable")
        try:
            yield page
        finally:
            await page.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), 10)
        shutil.rmtree(profile, ignore_errors=True)


async def _address(profile: Path, process: asyncio.subprocess.Process) -> str:
    """Where the first tab is spoken to."""
    from tornado.httpclient import AsyncHTTPClient  # noqa: PLC0415 - only the start of a browser needs it

    deadline = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
            port = int((profile / "DevToolsActivePort").read_text().split()[0])
            reply = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
            return str(next(tab["webSocketDebuggerUrl"] for tab in json.loads(reply.body) if tab["type"] == "page"))
        if process.returncode is not None or time.monotonic() > deadline:
            raise RuntimeError("Chromium did not start")
        await asyncio.sleep(0.05)
