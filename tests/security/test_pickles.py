"""The server never unpickles what users upload: an audit hook in its process counts."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer, notebook
from tests.security.api import Api
from tests.security.shapes import STREAMS, VERBS

HOOK = """
import os, sys
def hook(event, args):
    if event == "pickle.find_class":
        with open({log!r}, "a") as log:
            log.write(f"{{os.getpid()}} {{args}}\\n")
sys.addaudithook(hook)
"""


class WatchedServer(LiveServer):
    """A server whose every Python process notes what it unpickles."""

    @property
    def env(self) -> dict[str, str]:
        """With the hook on the path."""
        return {**super().env, "PYTHONPATH": str(self.folder / "hook")}

    @property
    def noted(self) -> list[str]:
        """What was unpickled, by process."""
        log = self.folder / "unpickled.txt"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedServer]:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK.format(log=str(folder / "unpickled.txt")))
    server = WatchedServer(folder).start()
    yield server
    server.stop()


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def bombs(touched: Path) -> dict[str, bytes]:
    """The same bomb in every wrapping that machine learning knows."""
    plain = pickle.dumps(Bomb(touched))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("archive/data.pkl", plain)
    array = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n" + plain
    table = b"a\r\n" + plain + b"\r\n"
    book = {**notebook("1"), "metadata": {"trusted": True, "pickle": plain.hex()}}
    book["cells"][0]["metadata"] = {"trusted": True}
    text = json.dumps(book).encode()
    return {
        "model.pkl": plain,
        "model.joblib": zlib.compress(plain),
        "model.pt": packed.getvalue(),
        "array.npy": array,
        "table.csv": table,
        "book.ipynb": text,
        "fake.json": plain,
    }


def test_the_hook_notes_what_is_unpickled(watched: WatchedServer, tmp_path: Path):
    code = f"import pickle; pickle.loads({pickle.dumps(Bomb(tmp_path / 'here'))!r})"
    subprocess.run([sys.executable, "-c", code], env=watched.env, check=True)
    assert (tmp_path / "here").is_dir()
    assert len(watched.noted) == 1


def test_the_server_never_unpickles(watched: WatchedServer, tmp_path: Path):
    assert watched.process is not None
    person, touched = Api(watched, watched.token), tmp_path / "touched"
    run = person.ok("POST", "/workspaces/default/runs", {"params": {"p": pickle.dumps(Bomb(touched), 0).decode()}})["id"]
    for name, content in bombs(touched).items():
        (watched.root / name).write_bytes(content)
        for area in ("artifacts", "snapshot"):
            person.ok("PUT", f"/runs/{run}/{area}/content", query={"path": name}, content=content)
        person.ask("POST", "/workspaces/default/notebooks/inspect", {"path": name})
        for verb in VERBS:
            if verb.method != "GET" or "{run_id}" not in verb.path or verb.contract.media_type == STREAMS:
                continue
            query = {one["name"]: name for one in verb.query if one["required"] or one["name"] == "path"}
            answer = person.ask("GET", verb.path.replace("{run_id}", run), query=query)
            assert answer.status < 500, (verb.name, answer.text)
    preview = person.ok("GET", f"/runs/{run}/artifacts/preview", query={"path": "model.pkl"})
    assert (preview["kind"], preview["text"]) == ("binary", None)
    person.close()
    assert not touched.exists()
    assert [line for line in watched.noted if line.startswith(f"{watched.process.pid} ")] == []


def test_a_notebook_that_calls_itself_trusted_is_not(target: LiveServer):
    book = notebook("from IPython.display import HTML; HTML('<b>x</b>')")
    book["metadata"]["trusted"] = book["cells"][0]["metadata"]["trusted"] = True
    (target.root / "trusted.ipynb").write_text(json.dumps(book))
    run_id = target.submit({"kind": "notebook", "notebook": "trusted.ipynb"}, in_place=True)
    assert target.wait(run_id)["status"] == "Completed"
    answer = target.get(f"/jobs/{run_id}/notebook")
    assert any(delta["op"] == "base" for delta in answer.json()["deltas"])
    assert "trusted" not in answer.text.replace("trusted.ipynb", "")
