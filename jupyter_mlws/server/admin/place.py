"""Which data folder and which database are meant: what a server started now would take. And who works with them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jupyter_core.application import JupyterApp
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from traitlets.config import Config

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import read_only_url, sqlite_url
from jupyter_mlws.kit.paths import Folders, default_data_dir
from jupyter_mlws.server import filesystems, schema, tables
from jupyter_mlws.server.admin.errors import BadAddress, NoDatabase, OwnedByServer, Unreadable
from jupyter_mlws.server.admin.manifest import PART, Manifest, read_manifest
from jupyter_mlws.server.owner import OwnerAddress, OwnerLock, read_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

SQLITE_MARK = b"SQLite format 3\0"


class Place(NamedTuple):
    """A data folder and its database."""

    folders: Folders
    url: URL
    manifest: Manifest | None = None
    """Of a folder that is a backup."""

    @property
    def sqlite(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return Path(self.url.database or "").absolute()

    @property
    def location(self) -> str:
        """Where the database is, without a password."""
        return str(self.file) if self.sqlite else self.url.render_as_string(hide_password=True)


def find(data_dir: Path | None = None) -> Place:
    """What a server would take: Jupyter's configuration and the environment say it, `data_dir` another folder.

    A folder that `back_up` made holds its own database. Raises `NoDatabase`, `BadAddress` and `NetworkFileSystem`.
    """
    tables.load()
    configured, address = _settings()
    root = (data_dir or Path(configured)).expanduser().absolute()
    folders = Folders(root)
    if not root.is_dir():
        raise NoDatabase(f"There is no data folder {root}. --data-dir or MLWS_DATA_DIR names another one.")
    # One that a server has owned is a backup that was put to work.
    manifest = None if data_dir is None or folders.lock.exists() else read_manifest(root)
    if manifest is not None:
        return Place(folders, sqlite_url(root / manifest.database.file), manifest)
    if (root / PART).is_dir():
        raise NoDatabase(f"The folder {root} holds a backup that was not finished: `mlws db backup {root}` makes it whole.")
    place = Place(folders, _checked(address) if address else sqlite_url(folders.database))
    filesystems.check(place.url)
    if place.sqlite and not place.file.is_file():
        raise NoDatabase(
            f"There is no database {place.file}: a server makes it when it first starts. --data-dir or MLWS_DATA_DIR names another folder."
        )
    return place


def _settings() -> tuple[str, str]:
    """Data folder and database as Jupyter's configuration and the environment name them: what `MlwsApp` finds in a server."""
    configured = Config()
    for name in ("jupyter-mlws", "jupyter-server"):  # the later one wins, as in a server
        reader = JupyterApp(config_file_name=f"{name.replace('-', '_')}_config")
        reader.load_config_file()
        configured.merge(reader.config)
    ours = configured.get("MlwsApp", {})
    data_dir, address = ours.get("data_dir"), ours.get("database_url")
    return str(data_dir or default_data_dir()), str(address or os.environ.get("MLWS_DATABASE_URL", ""))


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
        create_engine(url).dispose()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise BadAddress(
            "The address of the database (MLWS_DATABASE_URL, `MlwsApp.database_url`) is none; it looks like "
            "postgresql+psycopg://user@host/name."
        ) from None
    except ModuleNotFoundError as error:
        raise BadAddress(
            f"The driver of the database is not installed ({error.name}): pip install 'jupyter_mlws[postgres]'."
        ) from None
    return url


# Reading


@contextlib.contextmanager
def opened(place: Place) -> Iterator[Database]:
    """The database, for reading alone; only its reads are used. Raises `Unreadable` when it is no SQLite database."""
    if place.sqlite:
        check_mark(place.file)
    database = Database(_reading_url(place))
    try:
        yield database
    finally:
        database.close()


def check_mark(file: Path) -> None:
    """Raise `Unreadable` for a file that is no SQLite database."""
    try:
        with file.open("rb") as handle:
            mark = handle.read(len(SQLITE_MARK))
    except OSError as error:
        raise Unreadable(f"The file {file} cannot be read: {error.strerror}.") from error
    if mark != SQLITE_MARK:
        what = "is empty" if not mark else "is not an SQLite database, or its beginning was overwritten"
        raise Unreadable(f"The file {file} {what}. Restore it from a backup, or move it away, so that a new one is made.")


def _reading_url(place: Place) -> URL:
    if not place.sqlite:
        return place.url
    journal = Path(f"{place.file}-wal")
    # Reading a live database makes two files beside it, which needs the right to write there.
    sealed = not os.access(place.file.parent, os.W_OK) and not journal.exists()
    return read_only_url(place.file, immutable=place.manifest is not None or sealed)


def version_of(engine: Engine, place: Place) -> str:
    """The schema version of the database. Raises `NoDatabase` for an empty one, `ForeignDatabase` and `Unreadable`."""
    try:
        found = schema.version_of(engine)
    except DBAPIError as error:
        raise unreadable(place, error) from error
    if found is None:
        raise NoDatabase(f"The database {place.location} is empty: a server makes its tables when it first starts.")
    return found


def unreadable(place: Place, error: Exception) -> Unreadable:
    """What a database's failure means, and what to do."""
    told = f"The database {place.location} could not be read: {words_of(error)}."
    if place.sqlite:
        return Unreadable(f"{told} If `mlws db check` says that it is damaged, restore it from a backup.")
    return Unreadable(f"{told} Is its server running, and the address right?")


def words_of(error: BaseException) -> str:
    """What the database itself said."""
    while error.__cause__ is not None and not isinstance(error, DBAPIError):
        error = error.__cause__
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")


# Who works with it


def server_of(folders: Folders) -> OwnerAddress | None:
    """The server that owns the folder now, as far as it says who it is."""
    return read_address(folders) if _is_locked(folders.lock) else None


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def owned(place: Place, otherwise: str) -> Iterator[None]:
    """Own the folder meanwhile, so that no server opens the database. Raises `OwnedByServer`; `otherwise` says what the server would
    do about it by itself."""
    lock = OwnerLock(place.folders)
    if not lock.try_acquire():
        raise OwnedByServer(f"{_who(place.folders)} Nothing was done. {otherwise}".rstrip())
    try:
        yield
    finally:
        lock.release()


def _who(folders: Folders) -> str:
    address = read_address(folders)
    if address is None:
        return f"Another process works with the data folder {folders.root}: a server that is just starting, or another command."
    how = "`mlws server stop` stops it." if address.headless else "Stop that JupyterLab or Jupyter server where it was started."
    return f"A server owns the data folder {folders.root}: {address.url} (process {address.pid} on {address.host}). {how}"
