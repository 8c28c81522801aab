"""A copy of the data folder, made beside a running server as the documentation says, shows what the original shows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer, write_notebook
from tests.servers import lean

DRAWS = """
import struct, zlib
from IPython.display import Image, display
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"\\0" + bytes(range(250)) * 12
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1000, 1, 8, 2, 0, 0, 0))
display(Image(png + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")))
print("drawn")
"""


def outputs_of(server: LiveServer, run_id: str) -> list[tuple[int, Any]]:
    """Cell and output, of the whole notebook of a job."""
    deltas = server.ok("GET", f"/jobs/{run_id}/notebook")["deltas"]
    assert [delta["op"] for delta in deltas][-1] == "done"
    return [(delta["cell"], delta["output"]) for delta in deltas if delta["op"] == "output"]


def image_of(server: LiveServer, run_id: str) -> bytes:
    """The image in the notebook of a job, as the page asks for it."""
    deltas = server.ok("GET", f"/jobs/{run_id}/notebook", params={"hold_over": 1000})["deltas"]
    place = next(delta["place"] for delta in deltas if "image/png" in delta.get("held", {}).get("types", []))
    return server.get(f"/jobs/{run_id}/notebook/image", params={"place": place}).content


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[LiveServer], LiveServer]:
    """A server on a copy of another one's database and objects."""

    def copy(server: LiveServer) -> LiveServer:
        backup = tmp_path / "backup"
        backup.mkdir()
        with sqlite3.connect(server.data_dir / "mlws.db") as source, sqlite3.connect(backup / "mlws.db") as target:
            source.backup(target)
        source.close()
        target.close()
        shutil.copytree(server.data_dir / "objects", backup / "objects")
        return lean(tmp_path / "restored", data_dir=backup).start()

    return copy


@pytest.mark.slow
def test_notebook_and_log_of_a_job(server: LiveServer, copied: Callable[[LiveServer], LiveServer]):
    write_notebook(server.root / "copied.ipynb", DRAWS, "1 + 1")
    run_id = server.submit({"kind": "notebook", "notebook": "copied.ipynb"})
    assert server.wait(run_id)["status"] == "Completed"
    restored = copied(server)
    try:
        shown = outputs_of(restored, run_id)
        assert {cell for cell, _ in shown} == {0, 1}
        assert shown == outputs_of(server, run_id)
        image = image_of(restored, run_id)
        assert image.startswith(b"\x89PNG")
        assert image == image_of(server, run_id)
        assert restored.ok("GET", f"/jobs/{run_id}/log")["text"] == server.ok("GET", f"/jobs/{run_id}/log")["text"]
    finally:
        restored.stop()
