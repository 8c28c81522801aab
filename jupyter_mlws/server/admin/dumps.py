"""PostgreSQL's own dumps: `pg_dump` in its custom format, which `pg_restore` reads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError

from jupyter_mlws.kit.durable import synced
from jupyter_mlws.server.admin.errors import DumpFailed

if TYPE_CHECKING:
    from pathlib import Path

HOW = "Debian and Ubuntu: apt install postgresql-client; others: the package of the same name, or PostgreSQL's own."


def check_program(url: URL, instead: str = "") -> str:
    """The path of a `pg_dump` that is new enough for the server. Raises `DumpFailed`; `instead` says how to do without."""
    program = shutil.which("pg_dump")
    if program is None:
        raise DumpFailed(
            f"A PostgreSQL database is copied by its program pg_dump, which is not on the PATH. {HOW} {instead}".rstrip()
        )
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\b(\d+)(?:\.\d+)*", done.stdout)
    if done.returncode != 0 or found is None:
        said = (done.stderr or done.stdout).strip()[:300]
        raise DumpFailed(f"{program} does not tell its version ({said}), so nothing was dumped. {HOW} {instead}".rstrip())
    ours, theirs = int(found[1]), _server_version(url)
    if ours < theirs:
        raise DumpFailed(
            f"{program} is of version {ours}, older than the server, which is of version {theirs}; it cannot dump it. "
            f"Install the client programs of version {theirs} or newer. {instead}".rstrip()
        )
    return program


def _server_version(url: URL) -> int:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    except DBAPIError as error:
        raise DumpFailed(f"The database {url.render_as_string(hide_password=True)} does not answer: {error.orig}") from error
    finally:
        engine.dispose()


def dump(url: URL, target: Path, *, snapshot: str | None = None, instead: str = "") -> None:
    """Dump a database into `target`, whole or not at all, synced; `snapshot` is one that a transaction has exported.

    Raises `DumpFailed`. The password goes by the environment, where other users do not see it.
    """
    program = check_program(url, instead)
    part = target.with_name(f".part-{target.name}")
    part.unlink(missing_ok=True)
    command = [program, "--format=custom", "--no-owner", "--no-privileges", "--no-password", f"--file={part}"]
    if snapshot is not None:
        command.append(f"--snapshot={snapshot}")
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        done = subprocess.run([*command, f"--dbname={plain}"], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = " ".join(done.stderr.split())[:500] or f"it ended with {done.returncode}"
            raise DumpFailed(f"{program} could not dump the database: {said}. Is the disk of {target.parent} full?")
        synced(part)
        part.replace(target)
        synced(target.parent)
    except OSError as error:
        raise DumpFailed(f"The dump {target} could not be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
