"""A kernel that stops answering when its job is over."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from jupyter_mlws.runner.gateway import errand
from jupyter_mlws.runner.gateway.bridge import Bridge, Settings
from tests.gateway import OtherServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SILENT = "import sys, time\nsys.modules['_mlws_far'].__dict__['fetch'] = lambda had, ends: time.sleep(600)"


class InThread:
    """A bridge of a job in this process, whose patience a test can choose."""

    def __init__(self, folder: Path, other: OtherServer) -> None:
        work = folder / "work"
        work.mkdir()
        file, self._connection = write_connection_file(str(folder / "k.json"), key=os.urandom(16).hex().encode())
        settings = Settings(other.url, "python3", job=str(folder), work=str(work), spools=True)
        self.why = ""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(folder, settings, other.token)), daemon=True)
        self._thread.start()
        self.client = BlockingKernelClient(connection_file=file)
        self.client.load_connection_file()
        self.client.start_channels()

    async def _serve(self, folder: Path, settings: Settings, token: str) -> None:
        self.why = await Bridge({**self._connection}, folder / "record", settings, token).run()

    def ends(self) -> bool:
        """Whether it does, soon."""
        self._thread.join(30)
        return not self._thread.is_alive()


def test_it_holds_up_the_end_no_longer_than_it_may(tmp_path: Path, other: OtherServer, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = InThread(tmp_path, other)
    try:
        bridge.client.wait_for_ready(timeout=60)
        reply = bridge.client.execute_interactive(SILENT, timeout=30, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok"  # from then on a fetch waits for it, and the last ones stand behind that
        monkeypatch.setattr(errand, "PATIENCE_S", 1.0)
        bridge.client.shutdown()
        assert bridge.ends()
    finally:
        bridge.client.stop_channels()
    assert "the kernel does not answer" in bridge.why
    assert other.kernels() == []
