"""What an import brought, what was there already, and what was left, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.sdk.table import Column, Form, Table

if TYPE_CHECKING:
    from jupyter_mlws.sdk.mlflow_stores.records import Skip

THINGS = (
    "experiments",
    "runs",
    "metric points",
    "files",
    "logged models",
    "registered models",
    "model versions",
    "aliases",
)
KEPT = 1000
"""So many of the things that were left are named one by one; all are counted."""


class Count:
    """How many of one kind."""

    def __init__(self, thing: str) -> None:
        self.thing = thing
        self.imported = self.present = self.skipped = 0

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"imported": self.imported, "present": self.present, "skipped": self.skipped}


COUNTS: Form[Count] = Form(
    "count",
    (
        Column("What"),
        Column("Imported", right=True),
        Column("Already there", right=True),
        Column("Skipped", right=True),
    ),
    lambda c: [c.thing, f"{c.imported:,}", f"{c.present:,}", f"{c.skipped:,}"],
    lambda c: {"what": c.thing, **c.to_dict()},
)


class Report:
    """Grows while an import goes on."""

    def __init__(self, source: str, workspace: str, *, dry_run: bool) -> None:
        self.source = source
        self.workspace = workspace
        self.dry_run = dry_run
        self.counts = {thing: Count(thing) for thing in THINGS}
        self.bytes = 0
        """Of the files that were sent, or would be."""
        self.skipped: list[Skip] = []
        self.reasons: dict[tuple[str, str], int] = {}
        """How many things of a kind were left for a reason."""
        self.failed = 0
        """Runs and models that the server did not take whole."""

    def __getitem__(self, thing: str) -> Count:
        return self.counts[thing]

    def skip(self, skip: Skip) -> None:
        """Something was left."""
        if skip.kind + "s" in self.counts:
            self.counts[skip.kind + "s"].skipped += 1
        self.reasons[skip.kind, skip.reason] = self.reasons.get((skip.kind, skip.reason), 0) + 1
        if len(self.skipped) < KEPT:
            self.skipped.append(skip)

    def table(self) -> Table[Count]:
        """The counts, as lists are shown."""
        return Table(list(self.counts.values()), COUNTS)

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "source": self.source,
            "workspace": self.workspace,
            "dry_run": self.dry_run,
            "counts": {thing.replace(" ", "_"): count.to_dict() for thing, count in self.counts.items()},
            "bytes": self.bytes,
            "failed": self.failed,
            "skipped": [skip._asdict() for skip in self.skipped],
            "skipped_total": sum(self.reasons.values()),
        }
