"""Failures of looking after a database."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, Unavailable


class NoDatabase(BadInput):
    """There is no database where one was said to be."""

    code = "no_database"


class BadAddress(BadInput):
    """The address of the database is none, or its driver is not installed."""

    code = "bad_database_url"


class BadTarget(BadInput):
    """A backup cannot go into this folder."""

    code = "bad_target"


class OnlyACopy(BadInput):
    """The folder is a backup, with which this cannot be done."""

    code = "only_a_copy"


class OwnedByServer(Conflict):
    """A server, or another command, works with the data folder."""

    code = "owned_by_server"


class OldSchema(Conflict):
    """The database has to be upgraded first."""

    code = "old_schema"


class Unreadable(Unavailable):
    """The database is damaged, or cannot be reached."""

    code = "unreadable"


class NoRoom(Unavailable):
    """There is not enough room on a disk."""

    code = "no_room"


class DumpFailed(Unavailable):
    """PostgreSQL's own programs are missing, too old, or failed."""

    code = "dump_failed"


class BackupFailed(Unavailable):
    """The backup could not be written; what the folder held before is as it was."""

    code = "backup_failed"
