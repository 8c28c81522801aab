"""Wire types of stored files. Paths are relative, `/`-separated, without `..`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from jupyter_mlws.kit.fields import Count, matching

Sha256 = Annotated[str, matching(r"^[0-9a-f]{64}$(?!\n)", "A SHA-256 has 64 digits, 0 to 9 and a to f")]


class FileEntry(Struct, kw_only=True):
    """A file, a folder, or a link to something that was not captured."""

    path: str
    type: Literal["file", "folder", "link"]
    size: int
    """Bytes; for a folder the sum of what is below."""
    sha256: str | None
    modified_at: int | None
    target: str | None
    """For a link: where the original lies."""


class FileList(Struct, kw_only=True):
    """What lies directly under `path` (or all below it when asked recursively), folders first, then by name."""

    path: str
    entries: list[FileEntry]
    truncated: bool


class StoredFile(Struct, kw_only=True):
    """A file as it was stored."""

    path: str
    size: int
    sha256: str


class Preview(Struct, kw_only=True):
    """A safe look at a file. `kind` says which of the fields holds it."""

    path: str
    kind: Literal["text", "json", "table", "image", "notebook", "binary", "too_large"]
    media_type: str
    size: int
    text: str | None
    """Text, or JSON as text; at most 512 kB."""
    columns: list[str] | None
    rows: list[list[str]] | None
    """At most 200 rows of a CSV or TSV."""
    truncated: bool


class FileDiff(Struct, kw_only=True):
    """A file of a snapshot against the working copy."""

    path: str
    state: Literal["same", "changed", "missing", "binary"]
    unified: str
    """Unified diff, empty where there is none to show; at most 512 kB."""


class ManifestFile(Struct, kw_only=True, forbid_unknown_fields=True):
    """A file of a manifest that a client offers."""

    path: Annotated[str, Meta(min_length=1, max_length=4096)]
    sha256: Sha256
    size: Count
    executable: bool = False


class Garbage(Struct, kw_only=True):
    """One kind of what nobody needs."""

    kind: str
    what: str
    """The kind in words."""
    number: int
    bytes: int


class GarbageReport(Struct, kw_only=True):
    """What was removed, or (`dry_run`) would be."""

    kinds: list[Garbage]
    bytes_freed: int
    dry_run: bool
    held: bool
    """The stored files were left alone, for somebody copies them just now: ask again when the backup is done."""
