"""Rules of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.service import RunRef
    from jupyter_mlws.kit.actors import Action, Actor


class RunModels(NamedTuple):
    """The logged models that a run read, and those that it made, each with its step."""

    inputs: list[str]
    outputs: list[tuple[str, int]]


def io_of_runs(_session: Session, _ids: Sequence[str]) -> dict[str, RunModels]:
    """What runs read and made, by run id."""
    return {}


def log_points(_session: Session, _actor: Actor, _ref: RunRef, _metrics: Sequence[Any]) -> None:
    """Keep those points of metrics that are of a logged model."""


def add_inputs(_session: Session, _actor: Actor, _run_id: str, _model_ids: Sequence[str]) -> None:
    """Note logged models that a run reads."""


def add_outputs(_session: Session, _actor: Actor, _run_id: str, _models: Sequence[tuple[str, int]]) -> None:
    """Note logged models that a run makes."""


def open_for_files(_session: Session, _actor: Actor, _model_id: str, _action: Action) -> None:
    """Raise unless `actor` may do this to the files of a logged model."""
