"""A real PostgreSQL server of our own, for the tests: from the system's binaries, on loopback, in a folder that goes with it."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from typing_extensions import Self

from tests.live import free_port

START_S = 60.0
STOP_S = 30.0
UNPRIVILEGED = ("postgres", "nobody")
"""Who runs it where the tests run as root: PostgreSQL refuses to."""
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off", "max_connections": "60"}
SORTS_LIKE_PEOPLE = ["--locale-provider=icu", "--icu-locale=en-US"]
"""A database that sorts `a B c`, as most do, so that whatever leaves the order of texts to it is found out."""


class PostgresMissing(Exception):
    """PostgreSQL's server programs are not here, or may not run here."""


def find_binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: Debian's newest, else pg_config's, else one of the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True)
    if (config := shutil.which("pg_config")) is not None:
        asked = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(asked.stdout.strip()))
    folders += [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return 0.0


class PostgresServer:
    """One server; `new_database()` makes databases on it. `settings` are added to those that make it fast, and unsafe."""

    def __init__(self, binaries: Path, settings: dict[str, str] | None = None) -> None:
        self.binaries = binaries
        self.settings = {**FAST, **(settings or {})}
        self.folder = Path(tempfile.mkdtemp(prefix="mlws-postgres-"))
        self.port = 0
        self._account = _unprivileged()
        self._password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def url(self, database: str = "postgres") -> URL:
        """SQLAlchemy's URL of one of its databases."""
        return URL.create("postgresql+psycopg", "mlws", self._password, "127.0.0.1", self.port, database)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Make the cluster, start the server, return once it answers."""
        try:
            self._make_cluster()
            self._launch()
        except BaseException:
            self.stop()
            raise
        return self

    def _make_cluster(self) -> None:
        password = self.folder / "password"
        password.write_text(self._password)
        if self._account is not None:
            for path in (self.folder, password):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        command = ["initdb", "-D", str(self.folder / "data"), "-U", "mlws", f"--pwfile={password}", "--auth=scram-sha-256"]
        command += ["--no-sync", "--encoding=UTF8", "--locale=C"]
        done = self._run([*command, *SORTS_LIKE_PEOPLE])
        if done.returncode != 0:  # older than 15, or built without ICU
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            done = self._run(command)
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        program = str(self.binaries / command[0])
        return subprocess.run(
            [program, *command[1:]], **self._as_account(), cwd=self.folder, capture_output=True, text=True, check=False
        )

    def _as_account(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _launch(self) -> None:
        self.port = self.port or free_port()
        settings = {**self.settings, "port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        command = [str(self.binaries / "postgres"), "-D", str(self.folder / "data")]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, **self._as_account(), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OperationalError), self.administer():
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def log(self) -> str:
        """What the server printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    @contextmanager
    def administer(self, database: str = "postgres") -> Iterator[Connection]:
        """A connection outside of any transaction, as CREATE DATABASE wants it."""
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def new_database(self, template: str = "template0", options: str = "") -> URL:
        """A database of its own: empty, or a copy of a template that nobody is connected to."""
        self._made += 1
        name = f"mlws_{self._made}"
        with self.administer() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} {options}"))
        return self.url(name)

    def drop(self, url: URL) -> None:
        """Remove a database, whoever is connected."""
        with self.administer() as connection:
            connection.execute(text(f"DROP DATABASE {url.database} WITH (FORCE)"))

    def stop_at_once(self) -> None:
        """End it without a checkpoint and without a word to its clients: `pg_ctl stop -m immediate`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(STOP_S)

    def start_again(self) -> None:
        """Start it on its folder and port; it recovers what was committed."""
        self._launch()

    def stop(self) -> None:
        """End the server by its pid, and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # "fast": connections are closed
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_S)
        shutil.rmtree(self.folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to become; None where the tests run as an ordinary user."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresMissing("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it")


def start_postgres(settings: dict[str, str] | None = None, port: int = 0) -> PostgresServer:
    """A started server. Raises `PostgresMissing`."""
    binaries = find_binaries()
    if binaries is None:
        raise PostgresMissing("no PostgreSQL server is installed here (Debian: apt install postgresql)")
    made = PostgresServer(binaries, settings)
    made.port = port
    return made.start()


def start_or_skip(settings: dict[str, str] | None = None, port: int = 0) -> PostgresServer:
    """A started server; without one the test is skipped."""
    try:
        return start_postgres(settings, port)
    except PostgresMissing as missing:
        pytest.skip(str(missing))
