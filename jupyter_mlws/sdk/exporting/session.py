"""What the parts of an export share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.sdk.mlflow_stores.places import PROXIED, owner_of, scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_mlws.sdk.mlflow_stores.records import Skip
    from jupyter_mlws.sdk.mlflow_wire import MlflowWire
    from jupyter_mlws.sdk.workspace import Workspace

THINGS = ("experiments", "runs", "metric points", "files", "logged models", "registered models", "model versions")
KEPT = 1000


class ExportReport:
    """Grows while an export goes on."""

    def __init__(self, folder: Path, workspace: str) -> None:
        self.folder = folder
        self.workspace = workspace
        self.counts = dict.fromkeys(THINGS, 0)
        self.bytes = 0
        self.renamed: list[tuple[str, str, str]] = []
        """(whose, key, what became of it) of names that MLflow would not take; at most a thousand."""
        self.renamed_total = 0
        self.skipped: list[Skip] = []

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "folder": str(self.folder),
            "workspace": self.workspace,
            "counts": {thing.replace(" ", "_"): count for thing, count in self.counts.items()},
            "bytes": self.bytes,
            "renamed": [{"of": owner, "key": key, "name": name} for owner, key, name in self.renamed],
            "renamed_total": self.renamed_total,
            "skipped": [skip._asdict() for skip in self.skipped],
        }

    def renaming(self, owner: str) -> Callable[[str, str], None]:
        """Notes that keys of an owner had to change."""

        def note(key: str, name: str) -> None:
            self.renamed_total += 1
            if len(self.renamed) < KEPT:
                self.renamed.append((owner, key, name))

        return note


class Export(NamedTuple):
    """One export."""

    workspace: Workspace
    wire: MlflowWire
    report: ExportReport
    work: Path
    """Where it is written."""
    target: Path
    """Where it will lie, which its own addresses name."""
    tell: Callable[[str], None]

    def add(self, thing: str, more: int = 1) -> None:
        """So many more were written."""
        self.report.counts[thing] += more

    def address(self, uri: str, experiment_of: Callable[[str], str | None]) -> str:
        """An address of files as it is in the folder: those that lie in this workspace lie there now."""
        found = owner_of(uri) if scheme_of(uri) == PROXIED else None
        experiment_id = experiment_of(found[0]) if found is not None else None
        if found is None or experiment_id is None:
            return uri
        owner, path = found
        place = self.target / experiment_id / owner / "artifacts"
        return (place / path if path else place).as_uri()


def pairs(items: Any) -> dict[str, str]:
    """Keys and values of MLflow's lists of them."""
    return {str(item["key"]): str(item.get("value", "")) for item in items or ()}
