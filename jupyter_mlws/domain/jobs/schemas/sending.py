"""Files that a client sends, or keeps."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_mlws.domain.jobs.schemas.specs import PathText
from jupyter_mlws.domain.storage.schemas import Sha256


class MissingBlobs(Struct, kw_only=True):
    """Hashes that the server does not have."""

    missing: list[str]


class BlobQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Hashes to ask about."""

    sha256: Annotated[list[Sha256], Meta(max_length=100_000)]


class KeepFile(Struct, kw_only=True, forbid_unknown_fields=True):
    """A file of the working folder to store as an artifact."""

    path: PathText
