"""Our words in MLflow's, and back: status, lifecycle, locations, numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.mlflow_api.errors import InvalidParameter, wrong_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jupyter_mlws.domain.search.service import View
    from jupyter_mlws.mlflow_api.requests import Pair, Word

ROOT = "mlflow-artifacts:"

S = RunStatus
STATUS: dict[RunStatus, str] = {
    S.NOT_STARTED: "SCHEDULED",
    S.QUEUED: "SCHEDULED",
    S.PREPARING: "SCHEDULED",
    S.PAUSED: "SCHEDULED",
    S.RUNNING: "RUNNING",
    S.FINALIZING: "RUNNING",
    S.CANCEL_REQUESTED: "RUNNING",
    S.NOT_RESPONDING: "RUNNING",
    S.COMPLETED: "FINISHED",
    S.FAILED: "FAILED",
    S.CANCELED: "KILLED",
}
OURS: dict[str, RunStatus] = {
    "RUNNING": S.RUNNING,
    "SCHEDULED": S.NOT_STARTED,
    "FINISHED": S.COMPLETED,
    "FAILED": S.FAILED,
    "KILLED": S.CANCELED,
}
STATUS_WORDS = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
"""Their numbers count from 1."""
VIEWS: tuple[tuple[str, View], ...] = (("ACTIVE_ONLY", "active"), ("DELETED_ONLY", "deleted"), ("ALL", "all"))


def status_of(given: Word | None) -> RunStatus | None:
    """The status that a client names by word or number. MLflow lets pass a word that is none of its own."""
    word = _word(given, STATUS_WORDS, "status")
    return None if word is None else OURS[word]


def view_of(given: Word | None, name: str) -> View:
    """Which runs or experiments a search looks at: active ones, deleted ones, all."""
    word = _word(given, [word for word, _ in VIEWS], name)
    return dict(VIEWS)[word] if word is not None else "active"


def _word(given: Word | None, words: Sequence[str], name: str) -> str | None:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 4:
        given = int(given)
    if isinstance(given, int):
        if not 1 <= given <= len(words):
            raise wrong_type(name, given)
        return words[given - 1]
    return given if given in words else None


def lifecycle(*, deleted: bool) -> str:
    """MLflow's word for what is in the bin, or archived."""
    return "deleted" if deleted else "active"


def number(value: float | None) -> float | str:
    """A number as protobuf's JSON has it; None is NaN."""
    if value is None or value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags or params as lists of keys and values."""
    return [{"key": key, "value": value} for key, value in values.items()]


def mapping(given: Sequence[Pair] | None) -> dict[str, str]:
    """Keys and values of a list; the last of the same key counts."""
    return {pair.key or "": pair.value or "" for pair in given or ()}


def filled(**fields: Any) -> dict[str, Any]:
    """The fields that have a value: protobuf's JSON leaves out what is unset, and empty lists."""
    return {name: value for name, value in fields.items() if value is not None and value != []}


def location_of(experiment_id: int, chosen: str | None) -> str:
    """Where the artifacts of an experiment lie."""
    return chosen if chosen is not None else f"{ROOT}/{experiment_id}"


def below(location: str, path: str) -> str:
    """A place below another one; the query of a URI stays at its end."""
    base, mark, query = location.partition("?")
    return f"{base.rstrip('/')}/{path}{mark}{query}"


def artifact_uri(experiment_id: int, chosen: str | None, run_id: str) -> str:
    """Where the artifacts of a run lie."""
    return below(location_of(experiment_id, chosen), f"{run_id}/artifacts")


def whole_number(text: str, name: str) -> int:
    """An integer written as text."""
    try:
        return int(text)
    except ValueError:
        raise InvalidParameter(f"Parameter '{name}' must be an integer, got '{text[:80]}'.", field=name) from None
