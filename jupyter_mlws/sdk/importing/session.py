"""What the parts of an import share."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from jupyter_mlws.domain.runs.schemas import ImportQuestion, ImportStates
from jupyter_mlws.sdk.errors import BadInput, Conflict, NotFound, TooLarge
from jupyter_mlws.sdk.mlflow_stores.records import Skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jupyter_mlws.domain.runs.states import ImportState
    from jupyter_mlws.sdk.importing.report import Report
    from jupyter_mlws.sdk.mlflow_stores.records import Source
    from jupyter_mlws.sdk.mlflow_wire import MlflowWire
    from jupyter_mlws.sdk.workspace import Workspace

T = TypeVar("T")

REFUSALS = (BadInput, Conflict, NotFound, TooLarge)
"""What the server says of one thing, while all else can go on."""
TAKEN = "its id or name is that of another one here; it was left alone"
LOCATION = "mlws.artifactLocation"
"""Tag of what has files elsewhere that were not copied: where they lie."""
MAX_KEY, MAX_VALUE = 250, 1_000_000


class Session(NamedTuple):
    """One import."""

    workspace: Workspace
    wire: MlflowWire
    source: Source
    report: Report
    tell: Callable[[str], None]
    """Is told where it is, often."""

    @property
    def dry(self) -> bool:
        """Nothing is written."""
        return self.report.dry_run

    def path(self, rest: str) -> str:
        """The address of a route of imports."""
        return f"{self.workspace.path}/imports/{rest}"

    def states(self, what: str, ids: list[str]) -> dict[str, ImportState]:
        """What is here of these runs, or logged models."""
        question = ImportQuestion(imported_from=self.source.identity, ids=ids)
        headers = {"Idempotency-Key": "again"}
        return self.workspace.transport.ask("POST", self.path(what), ImportStates, body=question, headers=headers).states

    def cleaned(self, given: dict[str, str], kind: str, owner: str) -> dict[str, str]:
        """Params or tags that can be kept; the others are told."""
        found = {}
        for key, value in given.items():
            if 0 < len(key) <= MAX_KEY and len(value) <= MAX_VALUE and "\0" not in key and "\0" not in value:
                found[key] = value
            else:
                self.report.skip(Skip(kind, f"{key[:80]} of {owner}", "its name or value is too long, empty, or has NUL in it"))
        return found

    def failed(self, kind: str, name: str, error: BadInput | Conflict | NotFound | TooLarge) -> None:
        """The server did not take something. Trouble with the source ends all."""
        if error.code in ("bad_source", "workspace_not_found", "workspace_archived"):
            raise error
        taken = error.code in ("run_taken", "model_taken")
        self.report.failed += not taken
        self.report.skip(Skip(kind, name, TAKEN if taken else error.message))


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def plain(text: str, most: int) -> str:
    """A name on one line, of at most so many characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:most].strip()
