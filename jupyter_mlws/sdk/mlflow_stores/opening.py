"""Which reader a source takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from jupyter_mlws.sdk.mlflow_stores.places import scheme_of
from jupyter_mlws.sdk.mlflow_stores.records import bad_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.sdk.mlflow_stores.records import Skip, Source

SQLITE = b"SQLite format 3\0"


def open_source(text: str, artifacts: Path | None, skip: Callable[[Skip], None]) -> Source:
    """The store that `text` names: a folder, a database file, or their URI; a PostgreSQL URL. Raises `BadInput`.

    artifacts: the folder of the artifact store that goes with it. skip: is told what cannot be read.
    """
    if artifacts is not None and not artifacts.is_dir():
        raise bad_source(f"There is no folder {artifacts}, which --artifacts names.")
    scheme = scheme_of(text)
    driver = scheme.partition("+")[0]
    if driver in ("postgresql", "postgres"):
        from jupyter_mlws.sdk.mlflow_stores.databases import Postgres  # noqa: PLC0415 - folders do without
        from jupyter_mlws.sdk.mlflow_stores.sql_store import SqlStore  # noqa: PLC0415

        return SqlStore(Postgres(text), None, artifacts, skip)
    if scheme not in ("", "file", "sqlite"):
        raise bad_source(
            f"Runs cannot be read from {scheme}://: name an mlruns folder, an SQLite file (sqlite:///path) or a database of PostgreSQL."
            + (" Of a server, name the folder or the database behind it." if scheme in ("http", "https") else "")
        )
    return _of_path(_path(text, scheme), artifacts, skip)


def _path(text: str, scheme: str) -> Path:
    if scheme == "sqlite":
        rest = text[len("sqlite:") :].partition("?")[0]
        if not rest.startswith("///") or len(rest) == 3:
            raise bad_source(f"{text!r} names no file: sqlite:///relative/path.db or sqlite:////absolute/path.db.")
        return Path(rest[3:])
    return Path(unquote(urlsplit(text).path)) if scheme == "file" else Path(text).expanduser()


def _of_path(path: Path, artifacts: Path | None, skip: Callable[[Skip], None]) -> Source:
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):
        is_folder = is_file = False
    if is_folder:
        from jupyter_mlws.sdk.mlflow_stores.file_store import FileStore  # noqa: PLC0415 - databases do without

        return FileStore(path, artifacts, skip)
    if not is_file:
        raise bad_source(f"There is no folder and no database file {path}.")
    with path.open("rb") as file:
        if file.read(len(SQLITE)) != SQLITE:
            raise bad_source(f"{path} is neither a folder nor an SQLite database.")
    from jupyter_mlws.sdk.mlflow_stores.databases import Sqlite  # noqa: PLC0415
    from jupyter_mlws.sdk.mlflow_stores.sql_store import SqlStore  # noqa: PLC0415

    real = path.resolve()
    return SqlStore(Sqlite(real), real.parent, artifacts, skip)
