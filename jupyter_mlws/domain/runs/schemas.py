"""Wire types of runs. Times are milliseconds since the epoch (UTC); durations are milliseconds."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.metrics.schemas import MetricPoint, MetricSummary
from jupyter_mlws.domain.runs.states import ImportState, RunStatus
from jupyter_mlws.kit.fields import BatchId, Count, Key, Many, Name, Note, ObjectId, Params, TagChanges, Tags, TimeMs


class RunKind(str, Enum):
    """How a run came to be: followed in a notebook cell or script, or submitted as a job of one kind."""

    INTERACTIVE = "interactive"
    NOTEBOOK = "notebook"
    COMMAND = "command"
    EXTENSION = "extension"
    """Of a kind that another package brings."""


class Lifecycle(str, Enum):
    """Whether a run is in sight, or in the bin (restorable until it is purged)."""

    ACTIVE = "active"
    DELETED = "deleted"


class RunError(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why a run failed, in words for a person."""

    message: str
    kind: str | None = None
    """Class of the exception, e.g. `ValueError`."""
    cell: Count | None = None
    """Index of the failing cell, counted from 0 over all cells."""
    cell_name: str | None = None
    """First heading above, or first line of the failing cell."""
    traceback: str | None = None
    """Traceback, at most 64 kB, ANSI colours kept."""


class Progress(Struct, kw_only=True):
    """How far a run is: `done` of `total` units (cells of a notebook), and what it is at."""

    done: int
    total: int
    label: str
    current: int | None = None
    """Index of the cell that runs now, counted from 0 over all cells."""


class RunIO(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A named input or output of a run."""

    name: Key
    type: Literal["uri_file", "uri_folder", "mltable", "model", "literal"] = "uri_file"
    uri: Annotated[str, Meta(max_length=4000)] = ""
    digest: Annotated[str, Meta(max_length=255)] | None = None


class WaitingFor(str, Enum):
    """What a job waits for."""

    START = "start"
    """Nothing: it starts in a moment."""
    SLOT = "slot"
    CPUS = "cpus"
    MEMORY = "memory"
    GPUS = "gpus"
    USER_LIMIT = "user_limit"
    """Its user has as much of the target as one user may have."""
    TURN = "turn"
    """A job before it waits for more than is free; smaller ones do not overtake it."""
    BACKOFF = "backoff"
    """The attempt before failed; the next one begins at `until`."""
    QUEUE_PAUSED = "queue_paused"
    ON_HOLD = "on_hold"
    """This job alone is paused."""
    TOO_LARGE = "too_large"
    """It asks for more than the target has now."""
    TARGET = "target"
    """The target takes no jobs now, or is gone."""
    ENVIRONMENT = "environment"
    """The environment that it named is being built."""
    SERVER = "server"
    """The server cannot lay out its files now: the disk is full, say. It tries again."""
    BATCH_SYSTEM = "batch_system"
    """The batch system has it, and has not begun it; the reason is in that system's words."""


class Waiting(Struct, kw_only=True):
    """Why a job does not run yet, and its place in the queue."""

    code: WaitingFor
    reason: str
    """The same as a sentence."""
    position: int | None
    """From 1; null for one that is on hold, or has left the queue already."""
    until: int | None
    """When it goes on by itself, where that is known."""


class Process(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The operating-system process of an interactive run: enough to tell whether it still lives."""

    host: Annotated[str, Meta(max_length=255)]
    pid: Count
    start_time: Annotated[str, Meta(max_length=64)] | None = None
    """From /proc/<pid>/stat field 22 (clock ticks since boot), as text."""
    boot_id: Annotated[str, Meta(max_length=64)] | None = None


class Run(Struct, kw_only=True, omit_defaults=False):
    """A run as lists and pages show it."""

    id: str
    workspace: str
    experiment_id: str
    experiment_name: str
    name: str
    kind: RunKind
    status: RunStatus
    reason: str | None
    """Code of the ending where it needs one: `error`, `timeout`, `lost`, `kernel_ended`, `canceled`, `spawn_failed`,
    `out_of_memory`."""
    error: RunError | None
    lifecycle: Lifecycle
    parent_id: str | None
    user: str
    created_at: int
    started_at: int | None
    ended_at: int | None
    duration_ms: int | None
    """From start to end, or to now while it runs."""
    source: str
    """The notebook's path or the command line."""
    target: str | None
    progress: Progress | None
    waiting: Waiting | None
    params: dict[str, str]
    metrics: dict[str, MetricSummary]
    tags: dict[str, str]
    note: str
    inputs: list[RunIO]
    outputs: list[RunIO]
    children: int
    """Number of runs whose parent this is."""
    snapshot_id: str | None
    version: int
    """Grows by one with each change of status or of what a person edits; give it back in `If-Match` to refuse a lost update."""


class RunPage(Struct, kw_only=True):
    """One page of runs; `next_cursor` is null on the last. `total` counts all matches (null where counting would be slow)."""

    runs: list[Run]
    next_cursor: str | None
    total: int | None


class RunCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new interactive run. With an `id` that exists already the same run is answered, so that a retry is harmless."""

    id: ObjectId | UnsetType = UNSET
    experiment: Name | UnsetType = UNSET
    """Experiment name, made if it is new; `Default` if left out."""
    name: Name | UnsetType = UNSET
    parent_id: ObjectId | UnsetType = UNSET
    params: Params | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    source: Annotated[str, Meta(max_length=4000)] | UnsetType = UNSET
    started_at: TimeMs | UnsetType = UNSET
    process: Process | UnsetType = UNSET


class RunUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a person may change of a run. A tag set to null is removed."""

    name: Name | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    tags: TagChanges | UnsetType = UNSET
    experiment_id: str | UnsetType = UNSET
    """Moves the run, within its workspace."""


class RunEnd(Struct, kw_only=True, forbid_unknown_fields=True):
    """The end of an interactive run."""

    status: Literal["Completed", "Failed", "Canceled"]
    ended_at: TimeMs | UnsetType = UNSET
    error: RunError | UnsetType = UNSET


class StatusChange(Struct, kw_only=True):
    """One entry of a run's status history."""

    status: RunStatus
    at: int
    reason: str | None
    actor: str


class StatusHistory(Struct, kw_only=True):
    """All status changes of a run, oldest first."""

    changes: list[StatusChange]


class DeletePlan(Struct, kw_only=True):
    """What a deletion removes: rows, and bytes that really become free (content that others share stays)."""

    runs: int
    artifacts: int
    bytes_freed: int
    dry_run: bool


class Retention(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which runs of an experiment are kept; the others go by themselves, but for those that are spared.

    Spared are runs that run, the best by the goal, those with the tag `mlws.keep`, those whose model a version of a registered
    model is made of, and whatever has such a run below it. What is below a run goes with it.
    """

    keep_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    """Runs that ended less than so many days ago are kept."""
    keep_last: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """The newest runs are kept, so many. With `keep_days` a run goes only if neither keeps it."""
    what: Literal["runs", "outputs"] = "runs"
    """`runs`: they go to the bin. `outputs`: their files go for good; metrics, params, logs and the snapshot stay."""


class RetentionState(Struct, kw_only=True):
    """The rule that counts, and what it did last."""

    rule: Retention | None
    inherited: bool
    """It is that of the workspace."""
    last_at: int | None
    last_runs: int
    last_bytes: int


class RetentionApply(Struct, kw_only=True, forbid_unknown_fields=True):
    """Apply a rule now."""

    rule: Retention | UnsetType = UNSET
    """Another rule than the one that is set, this once."""
    dry_run: bool = False


class RetentionPlan(DeletePlan, kw_only=True):
    """What a rule did, or would do."""

    what: Literal["runs", "outputs"]
    spared: dict[str, int]
    """How many top-level runs that are old enough stay, by why: `running`, `best`, `kept`, `registered`."""
    named: list[str]
    """Names of some of those that go."""


class IODeclare(Struct, kw_only=True, forbid_unknown_fields=True):
    """Inputs and outputs to note on a run."""

    inputs: Annotated[list[RunIO], Many] | UnsetType = UNSET
    outputs: Annotated[list[RunIO], Many] | UnsetType = UNSET


class LogBatch(Struct, kw_only=True, forbid_unknown_fields=True):
    """Metrics, params and tags to log on a run in one go. The same `batch_id` again is answered without logging twice."""

    batch_id: BatchId
    metrics: Annotated[list[MetricPoint], Meta(max_length=10_000)] | UnsetType = UNSET
    params: Params | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class LogReply(Struct, kw_only=True):
    """How many metric points were stored (0 for a batch that was there already)."""

    stored: int


ImportSource = Annotated[str, Meta(min_length=1, max_length=2000)]
"""The store that something is imported from: a folder, or the URL of a database without its password."""
LongText = Annotated[str, Meta(max_length=1_000_000)]
ImportedTexts = Annotated[dict[Key, LongText], Many]
"""Params or tags of another store, whose values may be longer than those that are logged here."""


class RunImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """A run of another store, as it was there. What it logged, and its files, are sent to the run afterwards."""

    experiment_id: str
    imported_from: ImportSource
    name: Name | UnsetType = UNSET
    belonged_to: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET
    """Who the other store says made it; whoever imports it is told beside."""
    parent_id: ObjectId | UnsetType = UNSET
    """Its parent; one that is not here yet can be named later."""
    params: ImportedTexts | UnsetType = UNSET
    tags: ImportedTexts | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    source: Annotated[str, Meta(max_length=4000)] | UnsetType = UNSET
    started_at: TimeMs | UnsetType = UNSET


class RunImportEnd(Struct, kw_only=True, forbid_unknown_fields=True):
    """All of an imported run is here: how it stood in the store that it comes from."""

    imported_from: ImportSource
    status: Literal["NotStarted", "Running", "Completed", "Failed", "Canceled"]
    ended_at: TimeMs | UnsetType = UNSET
    deleted: bool = False


class ImportedRun(Struct, kw_only=True):
    """What is here of a run that is being imported."""

    id: str
    state: ImportState


class ImportQuestion(Struct, kw_only=True, forbid_unknown_fields=True):
    """Runs, or logged models, of another store."""

    imported_from: ImportSource
    ids: Annotated[list[Annotated[str, Meta(max_length=64)]], Many]


class ImportStates(Struct, kw_only=True):
    """What is here of each of them, by id."""

    states: dict[str, ImportState]


class ParentLinks(Struct, kw_only=True, forbid_unknown_fields=True):
    """Parents of imported runs, by the id of the run."""

    imported_from: ImportSource
    parents: Annotated[dict[ObjectId, ObjectId], Many]


class ParentsLinked(Struct, kw_only=True):
    """How many runs have a parent now that had none."""

    linked: int
