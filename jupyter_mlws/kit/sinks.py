"""Where streamed bytes go: what an upload needs of a store, and what the store says of what it kept."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class StoredBlob(NamedTuple):
    """Bytes that are whole and on disk."""

    sha256: str
    size: int


class Sink(Protocol):
    """Takes bytes piece by piece, from threads, one call at a time. Ends with `commit` or `abort`; `abort` leaves nothing."""

    def write(self, data: bytes) -> None:
        """Append."""

    def commit(self, expected_sha256: str | None = None) -> StoredBlob:
        """Keep what was written. Raises an error of status 400, and keeps nothing, if its hash is not the expected one."""

    def abort(self) -> None:
        """Forget what was written; after `commit` this does nothing."""
