"""Wire types of experiments."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.kit.fields import Key, Many, MetricValue, Name, Note, TagChanges, Tags, TimeMs


class Goal(Struct, kw_only=True, forbid_unknown_fields=True):
    """The metric that says which run of an experiment is best."""

    metric: Key
    direction: Literal["maximize", "minimize"]


class BestRun(Struct, kw_only=True):
    """The best run by the experiment's goal (the last value of its metric; NaN never wins)."""

    run_id: str
    run_name: str
    value: MetricValue


class Experiment(Struct, kw_only=True):
    """An experiment as lists show it."""

    id: str
    workspace: str
    name: str
    description: str
    tags: dict[str, str]
    goal: Goal | None
    archived: bool
    created_at: int
    last_run_at: int | None
    runs: int
    """Number of runs that are not deleted."""
    by_status: dict[str, int]
    """Number of runs by status."""
    best: BestRun | None
    """Null without a goal or before the first value."""
    version: int


class ExperimentPage(Struct, kw_only=True):
    """One page of experiments, the most recently used first."""

    experiments: list[Experiment]
    next_cursor: str | None


class ExperimentCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new experiment."""

    name: Name
    description: Note | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    goal: Goal | UnsetType = UNSET


class ExperimentUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of an experiment. A tag set to null is removed; a goal set to null too."""

    name: Name | UnsetType = UNSET
    description: Note | UnsetType = UNSET
    tags: TagChanges | UnsetType = UNSET
    goal: Goal | UnsetType | None = UNSET


class ExperimentDeletion(Struct, kw_only=True):
    """What deleting an experiment removes (or removed, when `dry_run` is false)."""

    experiment_id: str
    runs: int
    artifacts: int
    bytes_freed: int
    dry_run: bool
    blocked_by: str | None = None
    """Why it cannot be deleted now: the words of the refusal. Only a dry run has any."""


class ExperimentImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """An experiment of another store, as it was there."""

    name: Name
    description: Note | UnsetType = UNSET
    tags: Annotated[dict[Key, Annotated[str, Meta(max_length=1_000_000)]], Many] | UnsetType = UNSET
    archived: bool = False
    created_at: TimeMs | UnsetType = UNSET
    updated_at: TimeMs | UnsetType = UNSET


class ImportedExperiment(Struct, kw_only=True):
    """The experiment that runs are imported into."""

    id: str
    created: bool
    """Whether it was made now; one that had this name already stays as it is."""
