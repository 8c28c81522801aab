"""Bringing an older database to this program's schema, without a server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from jupyter_mlws.db.engine import make_writer
from jupyter_mlws.server import schema
from jupyter_mlws.server.admin import dumps
from jupyter_mlws.server.admin.errors import OnlyACopy
from jupyter_mlws.server.admin.place import Place, check_mark, opened, owned, unreadable, version_of

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

BY_ITSELF = "A server upgrades the database by itself when it starts: with the new version installed, starting it anew is enough."


class Upgraded(Struct, kw_only=True):
    """What was done."""

    database: str
    schema_before: str
    schema: str
    upgraded: bool
    backup: str | None
    """Where the database as it was lies."""


def upgrade(place: Place, *, backup: bool = True) -> Upgraded:
    """Bring the database to `schema.HEAD`, in one transaction, after a copy of it was made. One that is current stays untouched.

    Raises `NewerSchema`, `OwnedByServer`, `UpgradeFailed`, `DumpFailed` and whatever else keeps the database from being opened.
    """
    if place.manifest is not None:
        raise OnlyACopy(f"{place.folders.root} is a backup, which stays as it is; the database is upgraded once it is restored.")
    before = _look(place)
    if before == schema.HEAD:
        return _done(place, before, None)
    with owned(place, BY_ITSELF):
        if place.sqlite:
            check_mark(place.file)
        engine = make_writer(place.url)
        try:
            # Somebody may have been faster between the look and the lock.
            before = version_of(engine, place)
            kept = schema.upgrade_from(before, engine, _keeper(place, backup=backup)) if before != schema.HEAD else None
        except DBAPIError as error:
            raise unreadable(place, error) from error
        finally:
            engine.dispose()
    return _done(place, before, kept)


def _look(place: Place) -> str:
    with opened(place) as database:
        found = version_of(database.reader_engine, place)
    schema.check_known(found)
    return found


def _done(place: Place, before: str, kept: Path | None) -> Upgraded:
    return Upgraded(
        database=place.location,
        schema_before=before,
        schema=schema.HEAD,
        upgraded=before != schema.HEAD,
        backup=str(kept) if kept else None,
    )


def _keeper(place: Place, *, backup: bool) -> schema.Keep | None:
    if not backup:
        return _keep_nothing
    return None if place.sqlite else partial(_keep_dump, place)


def _keep_nothing(_engine: Engine, _revision: str) -> Path | None:
    return None


def _keep_dump(place: Place, engine: Engine, revision: str) -> Path | None:
    del engine
    target = place.folders.root / f"mlws.dump.bak-{revision}"
    dumps.dump(place.url, target, instead="--no-backup upgrades without a dump.")
    return target
