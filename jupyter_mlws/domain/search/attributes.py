"""What can be searched: the attributes of runs and of other records, what they hold, and the words that some of them take."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from jupyter_mlws.domain.runs.schemas import Lifecycle, RunKind
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.search.nodes import Entity

if TYPE_CHECKING:
    from collections.abc import Iterable


class Holds(Enum):
    """What an attribute holds, and so what it is compared with."""

    TEXT = "text"
    TIME = "time"
    DURATION = "duration"
    NUMBER_ID = "number_id"
    WORD = "word"
    NUMBER = "number"


@dataclass(frozen=True)
class Vocabulary:
    """The words of one kind of record: what a filter or an order over it may speak of."""

    noun: str
    """What the records are called, in the plural."""
    attributes: dict[str, Holds]
    aliases: dict[str, str]
    entities: dict[str, Entity]
    words: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    bare_text: bool = False
    """Whether texts may stand without quotes: a word or a number."""

    def attribute_name(self, written: str) -> str | None:
        """The canonical name of an attribute; case and spaces do not matter (`Run name` is `run_name`). None if there is none."""
        name = written.strip().casefold().replace(" ", "_")
        name = self.aliases.get(name, name)
        return name if name in self.attributes else None


ATTRIBUTES: dict[str, Holds] = {
    "run_id": Holds.TEXT,
    "run_name": Holds.TEXT,
    "status": Holds.WORD,
    "user": Holds.TEXT,
    "user_id": Holds.TEXT,
    "start_time": Holds.TIME,
    "end_time": Holds.TIME,
    "created_at": Holds.TIME,
    "duration": Holds.DURATION,
    "artifact_uri": Holds.TEXT,
    "experiment_id": Holds.NUMBER_ID,
    "experiment_name": Holds.TEXT,
    "kind": Holds.WORD,
    "lifecycle": Holds.WORD,
    "note": Holds.TEXT,
    "source": Holds.TEXT,
    "target": Holds.TEXT,
    "parent_id": Holds.TEXT,
}

ALIASES: dict[str, str] = {
    "created": "start_time",  # MLflow's
    "duration_ms": "duration",
    "ended_at": "end_time",
    "experiment": "experiment_name",
    "id": "run_id",
    "lifecycle_stage": "lifecycle",
    "name": "run_name",
    "parent_run_id": "parent_id",
    "started_at": "start_time",
}

ENTITIES: dict[str, Entity] = {
    "metric": Entity.METRIC,
    "metrics": Entity.METRIC,
    "param": Entity.PARAM,
    "params": Entity.PARAM,
    "parameter": Entity.PARAM,
    "parameters": Entity.PARAM,
    "tag": Entity.TAG,
    "tags": Entity.TAG,
    "attribute": Entity.ATTRIBUTE,
    "attributes": Entity.ATTRIBUTE,
    "attr": Entity.ATTRIBUTE,
    "run": Entity.ATTRIBUTE,
    "dataset": Entity.DATASET,
    "datasets": Entity.DATASET,
}

DATASET_KEYS = ("name", "digest", "context")

_S = RunStatus
MLFLOW_STATUS: dict[str, frozenset[str]] = {
    "SCHEDULED": frozenset({_S.NOT_STARTED.value, _S.QUEUED.value, _S.PREPARING.value, _S.PAUSED.value}),
    "RUNNING": frozenset({_S.RUNNING.value, _S.FINALIZING.value, _S.CANCEL_REQUESTED.value, _S.NOT_RESPONDING.value}),
    "FINISHED": frozenset({_S.COMPLETED.value}),
    "FAILED": frozenset({_S.FAILED.value}),
    "KILLED": frozenset({_S.CANCELED.value}),
}
"""MLflow's words for a status, each with ours that it stands for."""


def _words(enum: type[Enum]) -> dict[str, frozenset[str]]:
    return {str(member.value): frozenset({str(member.value)}) for member in enum}


WORDS: dict[str, dict[str, frozenset[str]]] = {
    "status": _words(RunStatus) | MLFLOW_STATUS,
    "kind": _words(RunKind),
    "lifecycle": _words(Lifecycle),
}
"""For each attribute that holds a word: the words it may be compared with, and the stored values that each stands for."""

# Of two words that differ in case only the first wins: `running` is our Running. `RUNNING` is found exactly, so it is MLflow's.
_FOLDED = {name: {word.casefold(): word for word in reversed(words)} for name, words in WORDS.items()}


RUNS = Vocabulary("Runs", ATTRIBUTES, ALIASES, ENTITIES, WORDS)

_TAGGED = {name: ENTITIES[name] for name in ("tag", "tags", "attribute", "attributes", "attr")}
EXPERIMENTS = Vocabulary(
    "Experiments",
    {
        "name": Holds.TEXT,
        "experiment_id": Holds.NUMBER_ID,
        "creation_time": Holds.TIME,
        "last_update_time": Holds.TIME,
    },
    {"id": "experiment_id", "created_at": "creation_time"},
    _TAGGED,
)
REGISTERED_MODELS = Vocabulary(
    "Registered models",
    {"name": Holds.TEXT, "creation_timestamp": Holds.TIME, "last_updated_timestamp": Holds.TIME},
    {"timestamp": "last_updated_timestamp"},
    _TAGGED,
)
MODEL_VERSIONS = Vocabulary(
    "Model versions",
    {
        "name": Holds.TEXT,
        "run_id": Holds.TEXT,
        "source_path": Holds.TEXT,
        "version_number": Holds.NUMBER,
        "current_stage": Holds.TEXT,
        "creation_timestamp": Holds.TIME,
        "last_updated_timestamp": Holds.TIME,
    },
    {"source": "source_path", "version": "version_number"},
    _TAGGED,
)
LOGGED_MODELS = Vocabulary(
    "Logged models",
    {
        "name": Holds.TEXT,
        "model_id": Holds.TEXT,
        "model_type": Holds.TEXT,
        "source_run_id": Holds.TEXT,
        "experiment_id": Holds.NUMBER_ID,
        "status": Holds.NUMBER,
        "artifact_location": Holds.TEXT,
        "creation_timestamp": Holds.TIME,
        "last_updated_timestamp": Holds.TIME,
    },
    {"creation_time": "creation_timestamp", "creation_timestamp_ms": "creation_timestamp"},
    {name: entity for name, entity in ENTITIES.items() if entity is not Entity.DATASET},
    bare_text=True,
)


def find_word(attribute: str, written: str) -> str | None:
    """The word of `attribute` that `written` means, exactly or in other case; None if there is none."""
    return written if written in WORDS[attribute] else _FOLDED[attribute].get(written.casefold())


def nearest(written: str, names: Iterable[str]) -> str | None:
    """The name most like `written`, if one is like it."""
    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(written[:64].casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None
