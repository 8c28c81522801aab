"""Is the database whole, and does the store hold what it names? Only looks, also while a server runs."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from sqlalchemy.exc import DBAPIError

from jupyter_mlws.domain.metrics import check as metrics_check
from jupyter_mlws.domain.storage import check as storage_check
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.kit.errors import Unavailable
from jupyter_mlws.server.admin import copies, ghosts
from jupyter_mlws.server.admin.contents import bytes_of, counts_of
from jupyter_mlws.server.admin.errors import Unreadable
from jupyter_mlws.server.admin.place import check_mark, opened, server_of, version_of, words_of
from jupyter_mlws.server.admin.progress import silent
from jupyter_mlws.server.admin.reports import Fault
from jupyter_mlws.server.admin.structure import SQLITE_PAGES, foreign_key_faults, structure_faults
from jupyter_mlws.server.schema import HEAD, REVISIONS, ForeignDatabase

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.server.admin.place import Place
    from jupyter_mlws.server.admin.progress import Progress

RESTORE = "Restore the newest backup that is whole (`mlws db check --full --data-dir <backup>` tells)."
DAMAGE = (DBAPIError, sqlite3.Error, Unavailable, ValueError, TypeError)
"""How a damaged database shows itself: what cannot be read, and values that are not what the column holds."""


class CheckReport(Struct, kw_only=True):
    """What `check` found."""

    sound: bool = True
    database: str
    kind: str
    """`sqlite` or `postgresql`."""
    data_dir: str
    backup_made_at: int | None = None
    """When this copy was made (ms); None for a data folder at work."""
    server: str | None = None
    """Address of the server that owns the folder now."""
    schema: str | None = None
    program_schema: str = HEAD
    state: str = "unknown"
    """`current`, `older` or `newer` than this program's; `unknown` where it cannot be told."""
    bytes: int = 0
    full: bool
    counts: dict[str, int] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)
    """How much was looked at, by what it is."""
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(place: Place, *, full: bool = False, progress: Progress = silent) -> CheckReport:
    """Look at everything; `full` also reads every index and every stored file. Damage is reported, never raised."""
    report = CheckReport(
        database=place.location,
        kind=place.url.get_backend_name() if place.manifest is None else place.manifest.database.kind,
        data_dir=str(place.folders.root),
        full=full,
    )
    address = server_of(place.folders)
    report.server = address.url if address is not None else None
    if place.manifest is not None:
        report.backup_made_at = place.manifest.made_at
        report.faults += copies.faults_of(place, full=full, progress=progress, checked=report.checked)
    if place.manifest is not None and place.manifest.database.kind != "sqlite":
        _take_from_manifest(report, place)
    else:
        _Looking(place, report, progress).look()
    report.sound = not report.faults
    return report


def _take_from_manifest(report: CheckReport, place: Place) -> None:
    """Of a dump nothing else can be read without a database server."""
    manifest = place.manifest
    assert manifest is not None  # noqa: S101 - the caller looked
    report.schema, report.counts, report.bytes = manifest.schema, dict(manifest.counts), manifest.database.bytes
    report.state = state_of(manifest.schema)
    report.notes.append("What is in the dump is checked once it is restored: run `mlws db check` then.")


def state_of(version: str) -> str:
    """How a schema version stands to this program's."""
    return "current" if version == HEAD else "older" if version in REVISIONS else "newer"


class _Looking:
    """One look at a database that can be opened."""

    def __init__(self, place: Place, report: CheckReport, progress: Progress) -> None:
        self._place = place
        self._report = report
        self._progress = progress
        self._said_unreadable = False

    def look(self) -> None:
        """All of it; what one part cannot read does not keep the others from looking."""
        report, place = self._report, self._place
        report.bytes = bytes_of(place, None)
        if place.sqlite:
            try:
                check_mark(place.file)
            except Unreadable as error:
                report.faults.append(Fault(what="not_a_database", where=place.location, message=error.message, advice=RESTORE))
                return
        with opened(place) as database:
            if place.sqlite:
                self._part(lambda: self._structure(database))
            if not self._part(lambda: self._version(database)):
                return
            self._part(lambda: self._counts(database))
            self._part(lambda: self._chunks(database))
            self._part(lambda: self._files(database))
            self._part(lambda: self._runs(database))

    def _part(self, work: Callable[[], Any]) -> bool:
        """Do a part; False where the database could not be read, or says that nothing more can be told."""
        try:
            return work() is not False
        except DAMAGE as error:
            if self._report.state == "older" and not self._place.sqlite:
                self._report.notes.append("Some of it could not be checked before the database is upgraded: `mlws db upgrade`.")
                return True
            if not self._said_unreadable:
                message = f"The database could not be read: {words_of(error)}."
                self._fault("unreadable", self._place.location, message, self._advice(error))
            self._said_unreadable = True
            return False

    def _advice(self, error: Exception) -> str:
        if not self._place.sqlite:
            return "See that the database server runs, and that the address is right."
        return "Another program holds it; try again in a moment." if "locked" in words_of(error) else RESTORE

    def _fault(self, what: str, where: str, message: str, advice: str) -> None:
        self._report.faults.append(Fault(what=what, where=where, message=message, advice=advice))

    def _structure(self, database: Database) -> None:
        report = self._report
        found = structure_faults(database.reader_engine, self._place.file, full=report.full, progress=self._progress)
        if not found:
            found = foreign_key_faults(database.reader_engine)
        report.checked[SQLITE_PAGES] = report.bytes
        for what, message in found:
            self._fault(what, self._place.location, message, RESTORE)
            self._said_unreadable |= what != "broken_reference"

    def _version(self, database: Database) -> bool:
        report = self._report
        try:
            found = version_of(database.reader_engine, self._place)
        except ForeignDatabase as error:
            self._fault("foreign_database", self._place.location, error.message, "Name an empty database of its own.")
            return False
        report.schema, report.state = found, state_of(found)
        if report.state == "newer":
            message = f"The database has schema {found!r}, which this version does not know: it was used by a newer one."
            self._fault(
                "newer_schema", self._place.location, message, "Upgrade jupyter_mlws: pip install --upgrade jupyter_mlws."
            )
            return False
        if report.state == "older":
            report.notes.append(
                f"The schema {found} is older than this program's ({HEAD}): the next start of a server upgrades it, or "
                "`mlws db upgrade` now."
            )
        return True

    def _counts(self, database: Database) -> None:
        self._progress("Counting", 0, None)
        self._report.counts = database.read_sync(counts_of)
        self._report.bytes = database.read_sync(lambda session: bytes_of(self._place, session))

    def _chunks(self, database: Database) -> None:
        total = self._report.counts.get("chunks")
        number, found = metrics_check.check(database, lambda done: self._progress("Reading metrics", done, total))
        self._report.checked["chunks"] = number
        for one in found:
            where = f"metric {one.key!r} of run {one.run_id}" if one.run_id else "no series"
            message = f"Chunk {one.chunk_id} of {where} is damaged: {one.what}."
            self._fault("damaged_chunk", one.run_id or f"chunk {one.chunk_id}", message, f"Its points are lost here. {RESTORE}")

    def _files(self, database: Database) -> None:
        place, report = self._place, self._report
        if place.manifest is not None and place.manifest.files is None:
            report.notes.append("Stored files were not copied into this backup (--no-files), and so not looked for.")
            return
        total = report.counts.get("files")
        what = "Reading files" if report.full else "Looking for files"
        blobs = BlobStore(place.folders.objects)
        found = storage_check.check(blobs, database, rehash=report.full, progress=lambda done: self._progress(what, done, total))
        report.checked["files"], report.checked["file_bytes"] = found.blobs, found.bytes
        unneeded = 0
        for kind, problems in (("missing_file", found.missing), ("damaged_file", found.damaged)):
            for problem in problems:
                unneeded += not problem.needed_by
                if problem.needed_by:
                    self._fault(kind, str(blobs.path(problem.sha256)), _file_words(kind, problem), _file_advice(problem.sha256))
        if unneeded:
            report.notes.append(
                f"{unneeded} files that nothing needs any more are missing or damaged; the next sweep forgets them."
            )
        if found.orphans and place.manifest is None:
            report.notes.append(
                f"{len(found.orphans)} stored files belong to no row: uploads on their way, or left by a crash. They go by themselves."
            )

    def _runs(self, database: Database) -> None:
        place, report = self._place, self._report
        if place.manifest is not None:
            running = database.read_sync(ghosts.number_running)
            if running:
                report.notes.append(f"{running} runs ran when the copy was made; a server that opens it shows them as Failed.")
            return
        self._progress("Looking for processes", 0, None)
        for ghost in ghosts.find(database, place.folders, patient=report.server is not None):
            self._fault("dead_run", ghost.run_id, ghost.words, ghosts.ADVICE)


def _file_words(kind: str, problem: storage_check.Problem) -> str:
    owner, owner_id, path = problem.needed_by[0]
    others = len(problem.needed_by) - 1
    more = f" (and of {'another' if others == 1 else f'{others} others'})" if others else ""
    state = "is not in the store" if kind == "missing_file" else "has another size or content than when it was stored"
    return f"The content of the file {path!r} of {owner} {owner_id}{more} {state}."


def _file_advice(sha256: str) -> str:
    return f"Copy objects/{sha256[:2]}/{sha256[2:]} from a backup into the data folder; any file of that name is the right one."
