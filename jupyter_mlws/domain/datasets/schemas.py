"""Wire types of datasets."""

from __future__ import annotations

from msgspec import Struct


class Dataset(Struct, kw_only=True):
    """A dataset as training code describes it. `schema` and `profile` are JSON texts of the client's own form."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class RunDataset(Struct, kw_only=True):
    """A dataset that a run has read, as lists show it: without schema and profile."""

    name: str
    digest: str
    context: str
    """What it was read for: `training`, `evaluation` …; empty where that was not said."""
    source_type: str
    source: str
