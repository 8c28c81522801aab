"""Data folders with a little of everything in them, and `mlws db` as a process of its own on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL
from sqlalchemy.orm import Session

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.kit.paths import Folders
from jupyter_mlws.server.schema import ensure_schema
from tests.cli.conftest import Said
from tests.databases import ENGINES
from tests.live import LiveServer
from tests.migrations import contents
from tests.servers import lean

STORED = ("weights", "plot", "words", "notebook", "code")
"""What the files of `contents` hold."""


class DataFolder:
    """A data folder, its database, and the command on both."""

    def __init__(self, root: Path, work: Path, url: URL | None) -> None:
        self.folders = Folders(root)
        self.work = work
        self.url = url or sqlite_url(self.folders.database)
        self.sqlite = url is None

    @property
    def env(self) -> dict[str, str]:
        """What leads the command, and a server, to the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLWS_", "JUPYTER"))}
        found = {**kept, "MLWS_DATA_DIR": str(self.folders.root)}
        found |= {f"JUPYTER_{name}_DIR": str(self.work / name) for name in ("DATA", "CONFIG", "RUNTIME")}
        return found if self.sqlite else {**found, "MLWS_DATABASE_URL": self.url.render_as_string(hide_password=False)}

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Begin `mlws db <words>`."""
        command = [sys.executable, "-m", "jupyter_mlws.cli", "db", *words]
        return subprocess.Popen(
            command,
            env={**self.env, **env},
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def db(self, *words: str, **env: str) -> Said:
        """`mlws db <words>`, whatever it ends with; never a traceback."""
        process = self.start(*words, **env)
        out, err = process.communicate()
        assert "Traceback" not in err, err
        assert "went wrong in mlws itself" not in err, err
        return Said(process.returncode, out, err)

    def json(self, *words: str, code: int = 0, **env: Any) -> Any:
        """What it tells programs."""
        said = self.db(*words, "-o", "json", **env)
        assert said.code == code, said
        return json.loads(said.out)

    def write(self, work: Callable[[Session], Any]) -> Any:
        """One write into the database, as the server would do it."""
        database = Database(self.url)
        try:
            database.start()
            return database.write_sync(work)
        finally:
            database.close()

    def read(self, work: Callable[[Session], Any]) -> Any:
        """One read of the database."""
        database = Database(self.url)
        try:
            return database.read_sync(work)
        finally:
            database.close()

    def fill(self) -> None:
        """Make the database, and put the frozen contents and their files into it."""
        self.folders.make()
        database = Database(self.url)
        ensure_schema(database.writer_engine)
        database.close()
        self.write(contents.fill)
        blobs = BlobStore(self.folders.objects)
        for word in STORED:
            blobs.put_bytes(word.encode())

    def server(self, name: str = "server") -> LiveServer:
        """A server on the folder; not started."""
        options = {} if self.sqlite else {"MLWS_DATABASE_URL": self.url.render_as_string(hide_password=False)}
        return lean(self.work / name, data_dir=self.folders.root, environment=options)


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> DataFolder:
    """A data folder whose database has not been made yet."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else None
    return DataFolder(tmp_path / "data", tmp_path, url)


@pytest.fixture
def data(empty: DataFolder) -> DataFolder:
    """A data folder with contents."""
    empty.fill()
    return empty


@pytest.fixture
def sqlite(tmp_path: Path) -> DataFolder:
    """One on SQLite, with contents."""
    folder = DataFolder(tmp_path / "data", tmp_path, None)
    folder.fill()
    return folder


@pytest.fixture
def running(data: DataFolder) -> Iterator[tuple[DataFolder, LiveServer]]:
    """A folder with contents, and a server on it."""
    server = data.server().start()
    yield data, server
    server.stop()
